/* Inline SVG: what all pictures of the page share. */
#ifndef APNSCOPE_REPORT_HTML_PICTURE_H
#define APNSCOPE_REPORT_HTML_PICTURE_H

#include "html.h"

enum { PICTURE_WORDS_SIZE = 6144 };

/* Opens a picture of that size with its name and, in words, what it shows: its text alternative.
 * `kind` is its class beside "pic". */
void html_picture_begin(FILE *out, const char *id, const char *kind, int width, int height,
                        const char *name, const char *words);
void html_picture_end(FILE *out);

/* Text at a point; `anchor` is "start", "middle" or "end"; `kind` its class. */
void html_picture_text(FILE *out, const char *kind, int x, int y, const char *anchor,
                       const char *text);

/* The pictures; each writes its section, or nothing where there is nothing to draw. */
void html_path(FILE *out, const struct view *view);
void html_matrix(FILE *out, const struct view *view);
void html_times(FILE *out, const struct view *view);
/* A figure inside a finding. */
void html_ladders(FILE *out, const struct view *view, const struct figure_ladder *ladder);

bool html_has_path(const struct view *view);
bool html_has_matrix(const struct view *view);
bool html_has_times(const struct view *view);

#endif
