/* Wipes secret texts. */
#ifndef P3_SUPPORT_ERASE_TEXT_H
#define P3_SUPPORT_ERASE_TEXT_H

/* Overwrites a text with zeros and frees it; NULL does nothing. */
void p3_erase_text(char *text);

#endif
