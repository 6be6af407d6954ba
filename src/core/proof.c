/* Whether a message ended where it seemed to. */
#include "core/proof.h"

#include "core/values.h"

p3_announced_size p3_announcement(pop3_str text, uint64_t listed)
{
    p3_announced_size a = {.listed = listed};
    a.number = p3_parse_octets(text, &a.octets, &a.in_words);
    return a;
}

pop3_size_match p3_match_size(const p3_announced_size *a, uint64_t octets)
{
    if ((a->number && a->octets == octets) || (a->listed != 0 && a->listed == octets))
        return POP3_SIZE_MATCHES;
    return a->in_words || a->listed != 0 ? POP3_SIZE_DIFFERS : POP3_SIZE_UNANNOUNCED;
}

p3_proof p3_proof_wanted(bool clean_end, pop3_size_match size, bool strict)
{
    static const p3_proof wanted[3][2] = {
        [POP3_SIZE_UNANNOUNCED] = {P3_PROOF_NOOP, P3_PROOF_NONE},
        [POP3_SIZE_MATCHES] = {P3_PROOF_NOOP, P3_PROOF_NONE},
        [POP3_SIZE_DIFFERS] = {P3_PROOF_ALONE, P3_PROOF_IF_FREE},
    };
    if (strict && size != POP3_SIZE_MATCHES)
        return clean_end ? P3_PROOF_REPLY : P3_PROOF_ALONE;
    return wanted[size][clean_end];
}
