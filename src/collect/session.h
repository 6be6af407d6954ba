/* One session with one account, from the connection to QUIT. Who does what:
 *   session.c         begins, steps, ends; logging in
 *   session_settle.c  intents that an earlier run left over
 *   session_list.c    the listing, the plan, looking at doubtful messages
 *   session_agree.c   what UIDL and LIST do not agree on
 *   session_verify.c  whether what was found by its header is what was delivered
 *   session_filter.c  which messages are retrieved; the header command
 *   session_intents.c what is recorded before that
 *   session_take.c    retrieving
 *   session_step.c    whether replies are those of our questions
 *   session_batch.c   batches: handed in, delivered, recorded
 *   session_drop.c    DELE, QUIT, and what is recorded about them
 *   session_adapt.c   what a session that was lost teaches the next one
 *   window.c          many commands of one kind */
#ifndef P3_COLLECT_SESSION_H
#define P3_COLLECT_SESSION_H

#include "collect/committer.h"
#include "deliver/message.h"
#include "deliver/names.h"
#include "collect/patience.h"
#include "collect/plan.h"
#include "collect/sync.h"

/* What the sessions of a run share. */
typedef struct p3_run {
    const p3_sync_options *options;
    p3_state *state; /* for reading */
    p3_jobs *jobs;
    p3_committer *committer; /* NULL in a dry run */
    p3_names names;
    char *owner; /* the state's real path: who its accounts are to others; see p3_owner_of() */
} p3_run;

typedef enum p3_stage {
    P3_STAGE_SECRET,  /* the secret is being asked for */
    P3_STAGE_LOGIN,   /* connecting and logging in */
    P3_STAGE_LISTING, /* UIDL, LIST */
    P3_STAGE_LOOKING, /* headers of doubtful messages */
    P3_STAGE_FILTER,  /* headers of new messages, for the header command */
    P3_STAGE_TAKING,  /* messages, and DELE of those that are delivered */
    P3_STAGE_LEAVING, /* recording that QUIT is about to be sent */
    P3_STAGE_QUIT,
    P3_STAGE_GONE, /* recording what has been deleted */
    P3_STAGE_OVER
} p3_stage;

/* How much care a session takes, after what has happened in this run. */
typedef enum p3_care {
    P3_CARE_USUAL,
    P3_CARE_TROUBLE, /* messages that often made trouble are left alone */
    P3_CARE_STEPS    /* also, one command at a time, and each message is handed in at once */
} p3_care;

/* Whether commands go one at a time, and what for. */
typedef enum p3_apart {
    P3_APART_NO,
    P3_APART_SILENCE, /* the server fell silent when they came together */
    P3_APART_CLOSE    /* it closed the connection then */
} p3_apart;

/* Where a server closed the connection: after how many answers, and at what. */
typedef struct p3_cut {
    uint64_t answered;
    p3_stage stage;
    uint32_t number; /* the message that it was asked for, or 0 */
} p3_cut;

/* So many messages are set aside in a run. */
#define P3_ASIDE_MOST 16

/* How a session goes about its work, after what happened to those before it in this run. */
typedef struct p3_approach {
    p3_care care;
    p3_apart apart;
    bool no_uidl;        /* UIDL is not asked for: the server closed at it, or after refusing it */
    bool no_top;         /* the same of TOP */
    bool no_sizes;       /* LIST is not sent beside UIDL: it ended the session before */
    unsigned closes;     /* sessions in a row that the server closed before they got anywhere */
    uint32_t suspect;    /* the message that was in hand when it last did, or 0 */
    unsigned quits;      /* sessions in a row that it closed at QUIT after deletions */
    uint32_t quit_after; /* so QUIT comes after as many, which is not learned yet; 0: no bound */
    unsigned asides;
    uint32_t aside[P3_ASIDE_MOST]; /* messages that are not asked for: it hung up at them twice */
    pop3_server_traits traits;     /* what they learned about the server */
    bool told;                     /* that UIDL and LIST do not agree */
    p3_cut cut;                    /* where the last session was closed */
    bool frugal;           /* it closes after a few commands: a session does one thing with few */
    bool retrieved_none;   /* when it became frugal, no message had come in its session */
    bool idle;             /* one that was to delete alone deleted nothing */
    const char *mechanism; /* where it is frugal: how the login worked; static */
    int64_t spent_ms;      /* by the sessions so far, see patience.h */
} p3_approach;

typedef struct p3_session p3_session;

/* Commands of one kind for many messages, some under way at any time. */
typedef struct p3_window {
    p3_session *session;
    pop3_command_kind kind;
    size_t *mails; /* indices into the mailbox */
    size_t count;
    p3_room room;
    size_t allowed; /* how many of them may be submitted by now */
    size_t submitted;
    size_t finished; /* done() is told in order: mails[finished] is the one in hand */
    size_t most;     /* under way at a time */
    size_t by_retr;  /* those from here on are asked for by RETR, as TOP was refused; or SIZE_MAX */
    pop3_sink_result (*sink)(p3_session *s, const char *data, size_t len);
    void (*done)(p3_session *s, p3_mail *mail, const pop3_result *result);
} p3_window;

struct p3_session {
    p3_run *run;
    const p3_account *account;
    p3_stage stage;
    p3_job secret_job;
    p3_secret secret;
    p3_problem secret_problem;
    bool secret_renewed; /* the server refused a token, and another was asked for */
    pop3_client *client;
    p3_known_account known;
    p3_owner owner; /* of files beside the target */
    bool locked;
    p3_calendar calendar; /* as the session began */
    p3_rows rows;
    p3_mailbox box;
    p3_plan plan;
    bool no_uidl;
    bool sizes_asked;  /* LIST has been sent beside UIDL */
    bool listed_again; /* UIDL and LIST did not agree, and are asked once more */

    p3_header look; /* the header in hand */
    p3_window looking;
    p3_window taking;
    p3_window dropping;
    p3_body_hash *body; /* where bodies are wanted, else NULL */
    p3_others others;   /* those that were compared, and are not the messages of their rows */
    bool verifying;     /* messages that were looked at are compared to the last octet */
    bool filter_begun;
    bool filter_busy; /* the header command is running */

    p3_delivery *settled; /* where intents that were left over were looked for */
    p3_delivery *delivery;
    p3_message message;
    bool taking_begun;
    bool in_message;         /* a message is being written */
    uint64_t octets_come;    /* of the message in hand */
    bool message_failed;     /* it cannot be delivered; its rest is thrown away */
    p3_name_list mail_names; /* unique names, in the order of `taking`, of messages with intents */

    p3_parcel *parcels; /* the batch being filled */
    size_t parcel_count;
    uint64_t parcel_octets;
    int64_t batch_since; /* milliseconds: when its first message came */
    bool odd;            /* a message began with a status line, and had not its octets */
    bool out_of_step;    /* replies were not those of our questions */
    bool doubted;        /* that has been recorded for what was delivered */
    unsigned refusals;   /* messages refused in a row */
    unsigned commits;    /* handed in and not over */
    unsigned batches;    /* of those, deliveries */
    p3_commit *slow;     /* slow deliveries that wait for their turn */
    bool slow_runs;
    bool poisoned; /* the committer's, see p3_commit */

    bool woken;           /* something it waited for has ended: step it */
    bool close_wanted;    /* close the connection without QUIT, as soon as no callback runs */
    p3_approach approach; /* of this session */
    p3_approach next;     /* of the next one in this run */
    bool only_deletes;    /* a frugal one: it has mail to delete, and does nothing else */
    bool together;        /* commands have shared a window */
    p3_patience patience;
    bool retry;      /* worth another session at once: the connection was lost on the way */
    bool adapted;    /* `next` goes another way than this one did */
    bool more;       /* the same without a problem: QUIT came early, as the server wants it */
    int64_t wait_ms; /* the server wants us to come back later: least wait, or 0 */
    bool come_back;  /* the same without a time: [IN-USE] and the like */
    p3_problem problem;
    p3_tally tally;
};

/* Makes a session and begins. Returns NULL when out of memory. */
p3_session *p3_session_new(p3_run *run, const p3_account *account, const p3_tally *so_far,
                           const p3_approach *approach);

/* Waits for nothing: does what can be done. Returns false when the session is over. */
bool p3_session_step(p3_session *s);

/* Whether its sockets are to be polled now. */
bool p3_session_polls(const p3_session *s);

/* Prepares something for messages to come, when there is time. Returns whether it did. */
bool p3_session_prepare(p3_session *s);

/* Ends it soon: after the message in hand. */
void p3_session_stop(p3_session *s);

/* Ends it now, though a message is in hand: the run is to end, and nothing more of it comes. */
void p3_session_abandon(p3_session *s);

/* Whether it was the bound that is set on a whole session. */
bool p3_session_is_out_of_time(const p3_session *s);

/* Whether it got as far as the listing. */
bool p3_session_has_listed(const p3_session *s);

/* What has come so far: octets. */
uint64_t p3_session_octets(const p3_session *s);

/* Milliseconds until the session has taken too long, and p3_session_step() ends it. */
int64_t p3_session_patience(const p3_session *s);

/* Milliseconds that it and those before it took, as the next one has to know. */
int64_t p3_session_spent(const p3_session *s);

/* May be called when it is over. */
void p3_session_free(p3_session *s);

/* The stages, each called when the one before is done. */
void p3_session_list(p3_session *s);

/* Whether there can be no session without LIST. */
bool p3_session_needs_sizes(const p3_session *s);

void p3_session_filter(p3_session *s);
void p3_session_begin_taking(p3_session *s);

/* LIST has been answered: looks for messages that only one of the two listings has, tells of them,
 * and makes sure that they are retrieved. Returns false when the listings are asked for once more,
 * or when the session has failed. */
bool p3_session_agree(p3_session *s);

/* A message was refused: whether only LIST claimed that it is there, which is told, and no failure.
 */
bool p3_session_disbelieve(p3_session *s, const p3_mail *mail);

/* Compares messages that are known by their headers with what was delivered, where they are to be
 * deleted. Returns false when there is nothing to compare. */
bool p3_session_verify(p3_session *s);

/* All have been compared: decides about those that are not the messages of their rows. Returns
 * false when out of memory. */
bool p3_session_end_verifying(p3_session *s);

/* Has the bodies of messages to come recorded. Returns false when out of memory. */
bool p3_session_want_bodies(p3_session *s);
void p3_session_take(p3_session *s);
void p3_session_finish(p3_session *s); /* when all is retrieved and deleted */
void p3_session_submit_quit(p3_session *s);

/* Looks at the target for what an earlier run may have delivered without recording it. */
bool p3_session_settle(p3_session *s);

/* Records what the listing tells, and which messages are about to be taken: first those that the
 * line is soon busy with, then, once they may be asked for, the others. */
bool p3_session_record_intents(p3_session *s);
bool p3_session_record_later_intents(p3_session *s);

/* Commands under way at a time: with one of the client's own its largest window. */
#define P3_WINDOW 4095

/* A message that made trouble so often may be left alone. */
#define P3_TRIES_MOST 3

/* A message whose deletion was confirmed, and which is still there, is deleted again so often. */
#define P3_RETURNS_MOST 3

/* A message did not come, or could not be kept: it stays on the server, and comes last next time.
 */
void p3_session_set_back(p3_session *s, p3_mail *mail, const p3_problem *why);

/* Adds a message that is complete to the batch. */
void p3_session_add_parcel(p3_session *s, const p3_parcel *parcel);

/* Hands the batch in: when it is full, or as it is; or throws it away. */
void p3_session_hand_in_full(p3_session *s);
void p3_session_hand_in(p3_session *s);
void p3_session_throw_away(p3_session *s);

/* Looks at the message that has just come: whether it has as many octets as were announced. */
void p3_session_note_size(p3_session *s, p3_mail *mail, const pop3_result *result);

/* Whether the session's end means that its replies were not those of our questions. */
bool p3_session_is_out_of_step(const p3_session *s, pop3_status status);

/* They were not: throws away what has not been handed in. What is delivered is in doubt. */
void p3_session_fall_out(p3_session *s);

/* Records, when nothing else is under way any more, that what was delivered is in doubt. */
void p3_session_doubt(p3_session *s);

/* Goes on with the present stage after something it waited for has ended. */
void p3_session_advance(p3_session *s);

/* Notes the first problem, and closes the connection. */
void p3_session_fail(p3_session *s, const p3_problem *problem);
void p3_session_fail_memory(p3_session *s);

/* Notes what the client says; its command ended with `status`, not by a refusal. */
void p3_session_lost(p3_session *s, pop3_status status);

/* Tells people. */
void p3_session_tell(p3_session *s, p3_notice_kind kind, const p3_mail *mail, const char *text,
                     const p3_problem *problem);

/* Hands changes in: takes ownership of `changes`. `then` names the fault point. */
bool p3_session_record(p3_session *s, p3_change *changes, size_t count, const p3_target *target,
                       const char *reached);

/* The same for intents: when they are recorded, the first `allowed` messages may be taken. */
bool p3_session_record_for(p3_session *s, p3_change *changes, size_t count, const p3_target *target,
                           size_t allowed);

/* Records what the session has learned about the server, where it was not known before; the next
 * session, in this run or another, begins with it. */
void p3_session_learn(p3_session *s, pop3_server_traits learned);

/* What the end of a session, with `status`, teaches the next one of this run: see `next`. Returns
 * whether that goes another way, and so is worth while. */
bool p3_session_adapt(p3_session *s, pop3_status status);

/* Adds to why the session was lost what may help, where the server closes it early. */
void p3_session_advise(const p3_session *s, pop3_status status, p3_problem *why);

/* The session got to its end: what was tried in it works, and is learned. */
void p3_session_confirm(p3_session *s);

/* Leaves out the messages that are set aside, once the plan is made. */
void p3_session_leave_aside(p3_session *s);

/* How many messages may be deleted before QUIT. */
size_t p3_session_quota(const p3_session *s);

/* Whether a frugal session is to delete and do nothing else: there is mail to delete. */
bool p3_session_only_deletes(const p3_session *s);

/* A message came that had been looked at: where TOP showed another header it is not to be trusted,
 * as it makes what is known look new in every run. */
void p3_session_compare_top(p3_session *s, const p3_mail *mail, const p3_fingerprint *retrieved);

/* Whether TOP is worth trying. */
bool p3_session_can_top(const p3_session *s);

/* Marks a message to be deleted now, when that is wanted; DELE is sent in due course. */
void p3_session_drop(p3_session *s, p3_mail *mail);

/* A change that makes a message's row what it now is. */
p3_change p3_session_change(p3_session *s, const p3_mail *mail, p3_standing standing);

bool p3_window_add(p3_window *w, size_t mail);
void p3_window_fill(p3_window *w);
bool p3_window_done(const p3_window *w);

/* TOP was refused for the message in hand: asks for it again by RETR, the rest of which is thrown
 * away; when it was the first, for all of them. False when out of memory, which is told. */
bool p3_window_by_retr(p3_window *w);
void p3_window_free(p3_window *w);

/* Whether a message is to be deleted without being retrieved in this session. */
bool p3_session_is_due(const p3_session *s, const p3_mail *mail);

/* Whether a known message is due for deletion. */
bool p3_session_due(const p3_session *s, const p3_row *row);

#endif
