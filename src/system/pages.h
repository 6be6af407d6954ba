/* Memory before it is used. */
#ifndef P3_SYSTEM_PAGES_H
#define P3_SYSTEM_PAGES_H

/* Asks for the pages of a range that are not there yet. Where that cannot be asked, they come when
 * they are used. */
void p3_pages_populate(char *from, char *to);

#endif
