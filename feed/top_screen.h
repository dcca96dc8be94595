/* The terminal, by ncurses: text at places, and keys.
 *
 * Private to feed/. There is one screen, and one thread that uses it. */
#ifndef APNSCOPE_FEED_TOP_SCREEN_H
#define APNSCOPE_FEED_TOP_SCREEN_H

#include <stdbool.h>

#include "base/fault.h"
#include "top_table.h"

enum top_style { TOP_NORMAL = 0, TOP_BOLD = 1, TOP_REVERSE = 2, TOP_UNDERLINE = 4 };

enum top_key {
    TOP_KEY_NONE = 0, /* below 256: a character */
    TOP_KEY_UP = 256,
    TOP_KEY_DOWN,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_HOME,
    TOP_KEY_END,
    TOP_KEY_LEFT,
    TOP_KEY_RIGHT,
    TOP_KEY_BACK_TAB,
    TOP_KEY_BACKSPACE,
    TOP_KEY_RESIZE,
    TOP_KEY_OTHER
};

MUST_USE bool top_screen_open(bool has_colour, bool has_unicode, struct fault *fault);
void top_screen_close(void);

unsigned top_screen_width(void);
unsigned top_screen_height(void);

void top_screen_begin(void); /* an empty screen */
/* Text in exactly so many columns, cut or padded. What a terminal should not be given becomes "?".
 */
void top_screen_put(unsigned line, unsigned column, unsigned width, const char *text,
                    enum top_tone tone, unsigned style, bool is_right);
void top_screen_end(void); /* shows it */
/* Everything is drawn anew: somebody else wrote on the terminal. */
void top_screen_redraw(void);

int top_screen_key(void); /* does not wait */
bool top_screen_is_gone(void);

/* Columns that the text takes, and how much of it fits in `width`, broken at a blank where
 * possible. */
unsigned top_screen_columns(const char *text);
size_t top_screen_fit(const char *text, unsigned width);

#endif
