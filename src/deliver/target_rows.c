/* The command's table of delivery targets. */
#include "deliver/target_rows.h"

#include "deliver/server_address.h"
#include "deliver/command.h"
#include "deliver/folder_names.h"
#include "deliver/gmail.h"
#include "deliver/imap.h"
#include "deliver/imap_address.h"
#include "deliver/lmtp.h"
#include "deliver/mbox.h"

const p3_target_row p3_target_rows[] = {
    P3_MAILDIR_ROW(.folder = p3_maildir_folder),
    {.kind = P3_TARGET_MBOX,
     .name = "mbox",
     .title = "mbox",
     .form = P3_TARGET_PATH,
     .open = p3_mbox_open,
     .tidy = p3_mbox_tidy,
     .has = p3_mbox_has,
     .opens_beside = true,
     .is_exact = true},
    {.kind = P3_TARGET_COMMAND,
     .name = "command",
     .title = "command",
     .form = P3_TARGET_TEXT,
     .open = p3_command_open,
     .runs = true,
     .spools = true,
     .keeps_names = true},
    {.kind = P3_TARGET_LMTP,
     .name = "lmtp",
     .title = "LMTP target",
     .form = P3_TARGET_ADDRESS,
     .is_same = p3_server_address_is_same,
     .open = p3_lmtp_open,
     .trial = p3_lmtp_trial,
     .spools = true,
     .refuses = true,
     .has_recipients = true,
     .keeps_names = true},
    {.kind = P3_TARGET_GMAIL,
     .name = "gmail",
     .title = "Gmail target",
     .form = P3_TARGET_MAILBOX,
     .open = p3_gmail_open,
     .spools = true,
     .refuses = true,
     .labels = true,
     .is_exact = true,
     .crlf = true,
     .keeps_names = true},
    {.kind = P3_TARGET_IMAP,
     .name = "imap",
     .title = "IMAP target",
     .form = P3_TARGET_URL,
     .server = p3_imap_server_read,
     .example = "imaps://USER@HOST/FOLDER",
     .is_same = p3_imap_address_is_same,
     .open = p3_imap_open,
     .trial = p3_imap_trial,
     .spools = true,
     .refuses = true,
     .folder = p3_imap_folder_url,
     .is_exact = true},
    {.kind = P3_TARGET_SMTP,
     .name = "smtp",
     .title = "SMTP target",
     .form = P3_TARGET_URL,
     .server = p3_smtp_server_read,
     .example = "smtps://USER@HOST",
     .is_same = p3_smtp_is_same,
     .open = p3_smtp_open,
     .trial = p3_smtp_trial,
     .spools = true,
     .refuses = true,
     .has_recipients = true,
     .keeps_names = true},
};

const size_t p3_target_row_count = sizeof p3_target_rows / sizeof *p3_target_rows;
