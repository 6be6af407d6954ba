/* Dates of messages. */
#include "support/mail_date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* The offset of a zone in minutes: "+0530", or the old American names (RFC 5322 §4.3). */
static bool read_zone(const char *zone, long *minutes)
{
    static const struct {
        const char *name;
        long minutes;
    } names[] = {{"GMT", 0},    {"UT", 0},     {"UTC", 0},    {"Z", 0},
                 {"EST", -300}, {"EDT", -240}, {"CST", -360}, {"CDT", -300},
                 {"MST", -420}, {"MDT", -360}, {"PST", -480}, {"PDT", -420}};
    if ((zone[0] == '+' || zone[0] == '-') && strlen(zone) >= 5) {
        long n = strtol(zone + 1, NULL, 10);
        *minutes = (n / 100 * 60 + n % 100) * (zone[0] == '-' ? -1 : 1);
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i].name, zone) == 0) {
            *minutes = names[i].minutes;
            return true;
        }
    }
    *minutes = 0; /* unknown names count as UTC (RFC 5322 §4.3) */
    return true;
}

static int month_of(const char *name)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12; i++) {
        if (strncasecmp(name, months + (size_t)i * 3, 3) == 0)
            return i;
    }
    return -1;
}

/* [Mon, ] 23 Nov 2026 07:39[:05] +0000 */
bool p3_mail_date_read(const char *field, int64_t *out)
{
    struct tm t = {0};
    char month[8];
    char zone[8] = "+0000";
    long minutes;
    const char *comma = strchr(field, ',');
    const char *at = comma != NULL ? comma + 1 : field;
    int found = sscanf(at, " %2d %7s %4d %2d:%2d:%2d %7s", &t.tm_mday, month, &t.tm_year,
                       &t.tm_hour, &t.tm_min, &t.tm_sec, zone);
    if (found == 5) {
        (void)sscanf(at, " %*2d %*7s %*4d %*2d:%*2d %7s", zone); /* no seconds, perhaps no zone */
        found = 6;
    }
    t.tm_mon = found >= 5 ? month_of(month) : -1;
    if (found < 6 || t.tm_mon < 0 || t.tm_mday < 1 || t.tm_mday > 31 || !read_zone(zone, &minutes))
        return false;
    if (t.tm_year < 50)
        t.tm_year += 100; /* two digits (RFC 5322 §4.3) */
    else if (t.tm_year >= 1000)
        t.tm_year -= 1900;
    *out = (int64_t)timegm(&t) - minutes * 60;
    return true;
}

const char *p3_mail_date_text(const char *field, char out[P3_DATE_TEXT])
{
    int64_t seconds;
    struct tm t;
    bool read = p3_mail_date_read(field, &seconds);
    time_t when = read ? (time_t)seconds : 0;
    if (!read || localtime_r(&when, &t) == NULL ||
        strftime(out, P3_DATE_TEXT, "%Y-%m-%d %H:%M", &t) == 0)
        snprintf(out, P3_DATE_TEXT, "%.16s", field);
    return out;
}
