# Completion of pop3(1) for fish.
function __pop3_accounts
    set -l config $HOME/.config
    set -q XDG_CONFIG_HOME; and set config $XDG_CONFIG_HOME
    sed -n 's/^\[\(.*\)\].*/\1/p' $config/pop3/config 2>/dev/null
end

complete -c pop3 -f
complete -c pop3 -n __fish_use_subcommand -a sync -d 'Bring new mail, each message exactly once'
complete -c pop3 -n __fish_use_subcommand -a stat -d 'How many messages, how large'
complete -c pop3 -n __fish_use_subcommand -a list -d 'A table of the messages'
complete -c pop3 -n __fish_use_subcommand -a headers -d 'A table, or every field'
complete -c pop3 -n __fish_use_subcommand -a uidl -d 'Unique-ids'
complete -c pop3 -n __fish_use_subcommand -a cat -d 'Messages as they are'
complete -c pop3 -n __fish_use_subcommand -a top -d 'Headers and first lines'
complete -c pop3 -n __fish_use_subcommand -a rm -d 'Delete messages'
complete -c pop3 -n __fish_use_subcommand -a capa -d 'What the server announces'
complete -c pop3 -n __fish_use_subcommand -a doctor -d 'What a server offers, what is wrong'
complete -c pop3 -n __fish_use_subcommand -a shell -d 'A session by hand'
complete -c pop3 -n __fish_use_subcommand -a setup -d 'Write the configuration for a mail address'
complete -c pop3 -n __fish_use_subcommand -a help -d 'What there is'
complete -c pop3 -n 'not __fish_use_subcommand' -a '(__pop3_accounts)'

for option in ca-file certificate config crl-file key mbox netrc password-file socket state ca-dir maildir
    complete -c pop3 -l $option -r -F
end
for option in auth command connect-timeout delete-after delivered-to every filter host jobs kill-size limit lines \
    local-address max-size message-limit password-command per-host pin port proxy proxy-user remove retries retry-wait server-name session-timeout timeout \
    token-command url user
    complete -c pop3 -l $option -x
end
for option in allow-plaintext delete keep keyring no-sandbox received json trace
    complete -c pop3 -l $option
end
complete -c pop3 -s q -l quiet -d 'Only mistakes'
complete -c pop3 -s v -l verbose -d 'Say more'
complete -c pop3 -s h -l help -d 'What the command does'
complete -c pop3 -s n -l dry-run -d 'Say what would be done'
complete -c pop3 -l tls -x -a 'tls stls none'
complete -c pop3 -l channel-binding -x -a 'tls-exporter tls-server-end-point tls-unique'
complete -c pop3 -l tls-min -x -a '1.2 1.3'
complete -c pop3 -l traits -x
complete -c pop3 -l utf8 -x -a 'auto off'
complete -c pop3 -l initial-response -x -a 'auto never'
complete -c pop3 -l pipelining -x -a 'auto on off'
complete -c pop3 -l line-ends -x -a 'lf crlf'
