/* The listing of the mailbox. */
#include "collect/listing.h"
#include "support/grow.h"
#include "system/sort.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most octets of unique-ids: a hundred for each of 2.5 million messages. */
#define P3_UIDS_MOST ((size_t)256 * 1024 * 1024)

bool p3_listing_add(p3_listing *box, uint32_t number, pop3_str uid)
{
    if (uid.len > P3_UIDS_MOST - box->text_used ||
        !p3_grow(&box->at, &box->room, box->count + 1, sizeof *box->at) ||
        !p3_grow(&box->text, &box->text_room, box->text_used + uid.len, 1))
        return false;
    if (uid.len > 0)
        memcpy(box->text + box->text_used, uid.data, uid.len);
    box->text_used += uid.len;
    box->unordered = box->unordered || (box->count > 0 && number <= box->at[box->count - 1].number);
    box->at[box->count++] = (p3_mail){
        .number = number, .row = P3_NO_ROW, .octets = P3_SIZE_UNKNOWN, .uid = {NULL, uid.len}};
    return true;
}

/* Orders by message number, then by place. */
static int compare_numbers(const void *x, const void *y, void *mails)
{
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;
    uint32_t m = ((const p3_mail *)mails)[a].number;
    uint32_t n = ((const p3_mail *)mails)[b].number;
    return m != n ? (m > n) - (m < n) : (a > b) - (a < b);
}

/* Most servers count upwards, so listings and rows are often in order already. */
uint32_t *p3_make_order(void *base, size_t count,
                        int (*compare)(const void *, const void *, void *))
{
    uint32_t *order = count < UINT32_MAX ? malloc((count + 1) * sizeof *order) : NULL;
    bool sorted = true;
    if (order == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
        sorted = sorted && (i == 0 || compare(&order[i - 1], &order[i], base) < 0);
    }
    if (!sorted)
        p3_sort(order, count, sizeof *order, compare, base);
    return order;
}

/* Keeps the first of several entries with the same message number. */
static bool leave_first(p3_listing *box)
{
    uint32_t *order = p3_make_order(box->at, box->count, compare_numbers);
    if (order == NULL)
        return false;
    uint32_t last = 0; /* no message has that number */
    for (size_t i = 0; i < box->count; i++) {
        p3_mail *mail = &box->at[order[i]];
        if (mail->number == last)
            mail->number = 0;
        else
            last = mail->number;
    }
    free(order);
    size_t left = 0;
    for (size_t i = 0; i < box->count; i++) {
        if (box->at[i].number != 0)
            box->at[left++] = box->at[i];
    }
    box->count = left;
    free(box->by_number);
    box->by_number = p3_make_order(box->at, box->count, compare_numbers);
    return box->by_number != NULL;
}

static bool is_number(pop3_str uid, uint32_t number)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%" PRIu32, number);
    return uid.len == (size_t)len && memcmp(uid.data, text, uid.len) == 0;
}

bool p3_listing_seal(p3_listing *box)
{
    const char *at = box->text != NULL ? box->text : "";
    if (box->sealed)
        return true;
    box->sealed = true;
    box->numbered = box->count > 0;
    uint32_t last = 0;
    for (size_t i = 0; i < box->count; i++) {
        box->at[i].uid.data = at;
        at += box->at[i].uid.len;
        box->numbered = box->numbered && is_number(box->at[i].uid, box->at[i].number);
        box->has_nameless = box->has_nameless || box->at[i].uid.len == 0;
        last = box->at[i].number > last ? box->at[i].number : last;
    }
    bool ok = !box->unordered || leave_first(box);
    box->has_gaps = last > box->count;
    box->named = box->count;
    return ok;
}

static bool add_nameless(p3_listing *box, uint32_t number, uint64_t octets)
{
    box->nameless_most++;
    if (box->count - box->named == P3_NAMELESS_MOST)
        return true;
    if (!p3_listing_add(box, number, (pop3_str){"", 0}))
        return false;
    p3_mail *mail = &box->at[box->count - 1];
    mail->uid.data = "";
    mail->octets = octets;
    mail->sized = mail->only_listed = true;
    return true;
}

bool p3_listing_size(p3_listing *box, uint32_t number, uint64_t octets)
{
    size_t low = 0;
    size_t high = box->named;
    size_t half = number <= high ? number - 1 : high / 2; /* usually there are no gaps */
    while (low < high) {
        p3_mail *mail = &box->at[box->by_number != NULL ? box->by_number[half] : half];
        if (mail->number == number) {
            mail->octets = octets;
            mail->sized = true;
            return true;
        }
        if (mail->number < number)
            low = half + 1;
        else
            high = half;
        half = low + (high - low) / 2;
    }
    return add_nameless(box, number, octets);
}

bool p3_listing_adopt(p3_listing *box)
{
    box->has_nameless = box->has_nameless || box->count > box->named;
    return !box->unordered || leave_first(box);
}

void p3_listing_free(p3_listing *box)
{
    free(box->at);
    free(box->text);
    free(box->by_number);
    free(box->looks);
    *box = (p3_listing){0};
}

p3_look p3_listing_look(const p3_listing *box, size_t i)
{
    return box->looks != NULL ? box->looks[i] : (p3_look){0};
}

bool p3_listing_set_look(p3_listing *box, size_t i, p3_look look)
{
    if (box->looks == NULL)
        box->looks = calloc(box->count, sizeof *box->looks);
    if (box->looks != NULL)
        box->looks[i] = look;
    return box->looks != NULL;
}

int p3_compare_uids(pop3_str a, pop3_str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}
