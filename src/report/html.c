/* report/html.c: see report/html.h. */
#include "report/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/bytes.h"

/* Pictures have a white ground of their own, which dark pages keep: their colours are chosen for it. */
static const char *const style[] = {
    ":root { color-scheme: light dark; --ground: #ffffff; --text: #1c1e21; --faint: #5a6067; --line: #d5d9de;",
    "  --panel: #f4f6f8; --right: #00664a; --wrong: #a83600; --warn: #fff4d6; }",
    "@media (prefers-color-scheme: dark) {",
    "  :root { --ground: #16181b; --text: #e6e8ea; --faint: #a3aab2; --line: #3a3f45;",
    "    --panel: #202327; --right: #5ed3a8; --wrong: #ff9d6c; --warn: #3d3212; } }",
    "* { box-sizing: border-box; }",
    "body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;",
    "  overflow-wrap: break-word; }",
    "main { max-width: 72rem; margin: 0 auto; padding: 1rem; }",
    "h1 { font-size: 1.6rem; line-height: 1.25; margin: .5rem 0; }",
    "h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }",
    "h3 { font-size: 1.05rem; margin: 1rem 0 .4rem; }",
    "p { max-width: 46rem; margin: .5rem 0; }",
    ".lead { font-size: 1.15rem; }",
    ".faint { color: var(--faint); }",
    ".scroll { overflow-x: auto; }",
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; }",
    "th, td { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }",
    "th { font-weight: 600; }",
    "td { overflow-wrap: anywhere; }",
    ".counts th, .counts td { padding: .2rem .5rem; text-align: right; overflow-wrap: normal; white-space: nowrap; }",
    ".counts .same { background: var(--panel); font-weight: 600; }",
    ".warnings { padding: .6rem 1rem .6rem 2rem; background: var(--warn); border-radius: .4rem; max-width: 46rem; }",
    "figure { margin: 0; }",
    "figcaption { color: var(--faint); font-size: .9rem; }",
    ".picture img { display: block; width: 100%; max-width: 44rem; height: auto; background: #ffffff; border-radius: .4rem; }",
    ".beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }",
    ".samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); gap: .8rem; }",
    ".samples img { width: 6rem; height: 6rem; object-fit: contain; image-rendering: pixelated; background: var(--panel); }",
    ".samples figcaption { line-height: 1.3; }",
    ".right { color: var(--right); }",
    ".wrong { color: var(--wrong); }",
    "progress { width: 100%; max-width: 44rem; }",
    "summary { cursor: pointer; padding: .3rem 0; }",
    "pre { overflow-x: auto; background: var(--panel); padding: .8rem; border-radius: .4rem; font-size: .85rem;",
    "  overflow-wrap: normal; }",
    "footer { margin-top: 2.5rem; }",
};

void html_begin(FILE *f, const char *title, int refresh) {
  fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
        "'unsafe-inline'\"/>\n",
        f);
  if (refresh) fprintf(f, "<meta http-equiv=\"refresh\" content=\"%d\"/>\n", refresh);
  fputs("<title>", f);
  html_text(f, title);
  fputs("</title>\n<style>\n", f);
  for (size_t i = 0; i < sizeof style / sizeof *style; i++) fprintf(f, "%s\n", style[i]);
  fputs("</style>\n</head>\n<body>\n<main>\n", f);
}

void html_end(FILE *f) {
  fprintf(f, "<footer><p class=\"faint\">Made by cldann %s.</p></footer>\n</main>\n</body>\n</html>\n", cldann_version());
}

void html_text(FILE *f, const char *s) {
  while (*s) {
    const int n = text_character(s);
    switch (*s) {
    case '&': fputs("&amp;", f); break;
    case '<': fputs("&lt;", f); break;
    case '>': fputs("&gt;", f); break;
    case '"': fputs("&quot;", f); break;
    case '\n': fputc('\n', f); break;
    default:
      if (n)
        fwrite(s, 1, (size_t)n, f);
      else
        fputs(*s == '\t' ? " " : "\xef\xbf\xbd", f);
    }
    s += n ? n : 1;
  }
}

void html_data(FILE *f, const char *type, const void *bytes, size_t n) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const uint8_t *b = bytes;
  fprintf(f, "data:%s;base64,", type);
  for (size_t i = 0; i < n; i += 3) {
    const size_t left = n - i;
    const uint32_t three = (uint32_t)b[i] << 16 | (left > 1 ? (uint32_t)b[i + 1] << 8 : 0) | (left > 2 ? b[i + 2] : 0u);
    fputc(digits[three >> 18], f);
    fputc(digits[three >> 12 & 63], f);
    fputc(left > 1 ? digits[three >> 6 & 63] : '=', f);
    fputc(left > 2 ? digits[three & 63] : '=', f);
  }
}

/* gnuplot does not tell by its exit status of a disk that is full. */
int html_picture(cldann_error *e, FILE *f, const char *path, const char *words) {
  static const char end[] = "</svg>";
  uint8_t *bytes = NULL;
  size_t size = 0, n;
  int rc;
  TRY(bytes_read(e, path, &bytes, &size));
  for (n = size; n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'); n--) {
  }
  if (n < sizeof end - 1 || memcmp(bytes + n - (sizeof end - 1), end, sizeof end - 1) != 0)
    FAIL(e, CLDANN_E_IO, "%s is not whole; free some space", path);
  fputs("<img alt=\"", f);
  html_text(f, words);
  fputs("\" src=\"", f);
  html_data(f, "image/svg+xml", bytes, size);
  fputs("\"/>\n", f);
fail:
  mem_free(bytes);
  return rc;
}
