# Completion of pop3(1) for bash.
_pop3_accounts() {
    sed -n 's/^\[\(.*\)\].*/\1/p' "${XDG_CONFIG_HOME:-$HOME/.config}/pop3/config" 2>/dev/null
}

_pop3() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local commands='capa cat doctor headers help list rm setup shell stat sync top uidl'
    local files='--ca-file --certificate --config --crl-file --key --mbox --netrc --password-file --socket --state'
    local folders='--ca-dir --maildir'
    local switches='--allow-plaintext --delete --dry-run --help --json --keep --keyring --no-sandbox --quiet --received --trace --verbose'
    local values='--auth --channel-binding --command --connect-timeout --delete-after --delivered-to --every --filter --host
        --initial-response --jobs
        --kill-size --limit --line-ends --lines --local-address --max-size --message-limit --password-command --per-host
        --pin --pipelining --port --proxy --proxy-user --remove --retries --retry-wait --server-name --session-timeout --timeout --tls --tls-min
        --traits --utf8
        --token-command --url --user'

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
    elif [[ " $files " == *" $before "* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    elif [[ " $folders " == *" $before "* ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
    else
        case $before in
        --tls) mapfile -t COMPREPLY < <(compgen -W 'tls stls none' -- "$word") ;;
        --channel-binding) mapfile -t COMPREPLY < <(compgen -W 'tls-exporter tls-server-end-point tls-unique' -- "$word") ;;
        --tls-min) mapfile -t COMPREPLY < <(compgen -W '1.2 1.3' -- "$word") ;;
        --initial-response) mapfile -t COMPREPLY < <(compgen -W 'auto never' -- "$word") ;;
        --utf8) mapfile -t COMPREPLY < <(compgen -W 'auto off' -- "$word") ;;
        --pipelining) mapfile -t COMPREPLY < <(compgen -W 'auto on off' -- "$word") ;;
        --line-ends) mapfile -t COMPREPLY < <(compgen -W 'lf crlf' -- "$word") ;;
        *)
            case $word in
            -*) mapfile -t COMPREPLY < <(compgen -W "$files $folders $switches $values" -- "$word") ;;
            *) mapfile -t COMPREPLY < <(compgen -W "$(_pop3_accounts)" -- "$word") ;;
            esac
            ;;
        esac
    fi
}

complete -o filenames -F _pop3 pop3
