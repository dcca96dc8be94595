/* The frame around every picture, and its text.
 *
 * Under the picture sections of the HTML writer. Colours are the style sheet's, so that dark and
 * print need no second drawing. Deliberately no script: a picture is complete as it stands. */
#include "html_picture.h"

void html_picture_begin(FILE *out, const char *id, const char *kind, int width, int height,
                        const char *name, const char *words)
{
    html_print(out,
               "<div class=\"scroll plain\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
               "<svg class=\"pic %s\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" ",
               name, kind, width, height, width, height);
    html_print(out,
               "role=\"img\" aria-labelledby=\"%s-name %s-what\"><title id=\"%s-name\">%s</title>"
               "<desc id=\"%s-what\">%s</desc>\n",
               id, id, id, name, id, words);
}

void html_picture_end(FILE *out)
{
    fputs("</svg></div>\n", out);
}

void html_picture_text(FILE *out, const char *kind, int x, int y, const char *anchor,
                       const char *text)
{
    html_print(out, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", kind, x,
               y, anchor, text);
}
