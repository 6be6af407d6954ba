/* The mailbox that every account of the benchmark's server has, rendered once. */
#define _GNU_SOURCE
#include "server/mailbox.h"

#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of text in a message, without its end. */
#define LINE 76

static void *memory(size_t n)
{
    void *p = calloc(1, n > 0 ? n : 1);
    if (p == NULL)
        die("the mailbox");
    return p;
}

/* Prints one head; the length is the same for every number. */
static int print_head(char *out, size_t room, const mailbox *m, size_t number)
{
    return snprintf(out, room,
                    "+OK %zu octets\r\n"
                    "Return-Path: <sender@bench.example>\r\n"
                    "From: A sender <sender@bench.example>\r\n"
                    "To: A receiver <receiver@bench.example>\r\n"
                    "Subject: message number %010zu of the benchmark\r\n"
                    "Date: Mon, 05 Jan 2026 12:00:00 +0000\r\n"
                    "Message-ID: <%010zu.bench@bench.example>\r\n"
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: text/plain; charset=us-ascii\r\n"
                    "\r\n",
                    m->size, number, number);
}

/* Lines as base64 has them, and every now and then one that starts with a dot. `octets` is what the
 * body is to have when dots are unstuffed. */
static span render_body(size_t octets)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t lines = octets / (LINE + 2);
    char *data = memory(lines * (LINE + 3) + octets + 16);
    char *at = data;
    uint64_t random = UINT64_C(0x9E3779B97F4A7C15);
    while (octets > 0) {
        size_t line = octets >= LINE + 4 ? LINE : octets > 2 ? octets - 2 : 0;
        if ((size_t)(at - data) / (LINE + 2) % 97 == 50 && line > 0) {
            *at++ = '.'; /* stuffing: not counted */
            *at++ = '.';
        } else if (line > 0) {
            *at++ = 'x';
        }
        for (size_t i = 1; i < line; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            *at++ = letters[random & 63];
        }
        memcpy(at, "\r\n", 2);
        at += 2;
        octets -= octets < line + 2 ? octets : line + 2;
    }
    memcpy(at, ".\r\n", 3);
    at += 3;
    return (span){data, (size_t)(at - data)};
}

void mailbox_render(mailbox *m, size_t count, size_t size)
{
    char head[1024];
    *m = (mailbox){.count = count, .size = size};
    m->head_len = (size_t)print_head(head, sizeof head, m, 0);
    m->reply_len = (size_t)(strchr(head, '\n') - head) + 1;
    size_t header = m->head_len - m->reply_len;
    m->body = render_body(size > header ? size - header : 0);
    m->heads = memory(count * m->head_len + 1);
    for (size_t i = 0; i < count; i++)
        print_head(m->heads + i * m->head_len, m->head_len + 1, m, i + 1);
    bool *none = memory(count);
    m->listing = mailbox_listing_without(m, NULL, none);
    free(none);
}

span mailbox_head(const mailbox *m, size_t number)
{
    return (span){m->heads + (number - 1) * m->head_len, m->head_len};
}

account *mailbox_account(mailbox *m, const char *name)
{
    for (account *a = m->accounts; a != NULL; a = a->next) {
        if (strcmp(a->name, name) == 0)
            return a;
    }
    account *a = memory(sizeof *a);
    a->name = strdup(name);
    if (a->name == NULL)
        die("an account");
    a->mark = 2166136261U; /* FNV-1a of the name */
    for (const char *p = name; *p != '\0'; p++)
        a->mark = (a->mark ^ (unsigned char)*p) * 16777619U;
    a->next = m->accounts;
    m->accounts = a;
    return a;
}

void mailbox_uid(const account *a, size_t number, char *out)
{
    snprintf(out, 32, "%08x.%zu", (unsigned)a->mark, number);
}

span mailbox_listing_without(const mailbox *m, const account *uids, const bool *deleted)
{
    char *data = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&data, &len);
    if (f == NULL)
        die("a listing");
    fputs("+OK\r\n", f);
    for (size_t i = 0; i < m->count; i++) {
        char uid[32];
        if (deleted[i])
            continue;
        if (uids == NULL)
            snprintf(uid, sizeof uid, "%zu", m->size);
        else
            mailbox_uid(uids, i + 1, uid);
        fprintf(f, "%zu %s\r\n", i + 1, uid);
    }
    fputs(".\r\n", f);
    if (fclose(f) != 0)
        die("a listing");
    return (span){data, len};
}

span mailbox_uids(const mailbox *m, account *a)
{
    if (a->uids.data == NULL) {
        bool *none = memory(m->count);
        a->uids = mailbox_listing_without(m, a, none);
        free(none);
    }
    return a->uids;
}
