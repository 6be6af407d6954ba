/* An error as the caller sees it: its class and a message. */
#include "client/failure.h"

#include "client/refusal.h"
#include "core/text.h"

#include <stdio.h>

void p3_describe_command(pop3_command_kind kind, uint32_t number, char *out, size_t size)
{
    if (number > 0)
        snprintf(out, size, "%s %lu", pop3_command_name(kind), (unsigned long)number);
    else
        snprintf(out, size, "%s", pop3_command_name(kind));
}

/* The server's text, as far as it may be shown. */
static void add_server_text(p3_text *to, const p3_fault *fault, size_t most)
{
    p3_text_add_printable(to, fault->text, most);
    if (fault->text.len < fault->reply->text.len)
        p3_text_add(to, "***");
}

static void write_message(p3_failure *f, const char *place, const p3_fault *fault)
{
    p3_text message = p3_text_begin(f->message, sizeof f->message);
    p3_text_add(&message, place);
    p3_text_add(&message, ": ");
    p3_text_add(&message, fault->doing);
    p3_text_add(&message, ": ");
    p3_text_add(&message, fault->why != NULL ? fault->why : pop3_status_message(fault->status));
    if (fault->reply == NULL)
        return;
    bool coded = fault->reply->code_text.len > 0;
    if (coded) {
        p3_text_add(&message, " [");
        p3_text_add_printable(&message, fault->code_text, 40);
        p3_text_add(&message, "]");
    }
    if (fault->reply->text.len > 0) {
        p3_text_add(&message, coded ? " " : ": ");
        add_server_text(&message, fault, 200);
    }
}

void p3_failure_write(p3_failure *f, const char *place, const p3_fault *fault)
{
    const pop3_reply *reply = fault->reply;
    pop3_response_code code = reply != NULL ? reply->code : POP3_CODE_NONE;
    bool refused = fault->status == POP3_ERR_REFUSED && fault->refused != POP3_REFUSED_NOTHING;
    f->value = (pop3_error){
        .status = fault->status,
        .sys_errno = fault->sys_errno,
        .code = code,
        .login_delay = code == POP3_CODE_LOGIN_DELAY ? fault->login_delay : 0,
        .refused = fault->refused,
        .temporary =
            fault->temporary || (refused && reply != NULL && p3_refusal_is_temporary(reply)),
        .certificate = fault->certificate,
        .tls = fault->tls,
    };
    p3_text text = p3_text_begin(f->server_text, sizeof f->server_text);
    if (reply != NULL)
        add_server_text(&text, fault, sizeof f->server_text);
    write_message(f, place, fault);
}
