# strip.awk: C or OpenCL C without comments, and (unless -v strings=keep) without the insides of string and character
# literals. Lines keep their numbers. The tests that read sources by pattern use it, so that prose never trips them.
BEGIN { in_comment = 0 }
{
  out = ""
  n = length($0)
  for (i = 1; i <= n; i++) {
    c = substr($0, i, 1)
    two = substr($0, i, 2)
    if (in_comment) {
      if (two == "*/") { in_comment = 0; i++; out = out " " }
      continue
    }
    if (two == "/*") { in_comment = 1; i++; continue }
    if (two == "//") break
    if (c == "\"" || c == "'") {
      out = out c
      for (i++; i <= n; i++) {
        d = substr($0, i, 1)
        if (d == c) break
        if (strings == "keep") out = out d
        if (d == "\\") { i++; if (strings == "keep") out = out substr($0, i, 1) }
      }
      out = out c
      continue
    }
    out = out c
  }
  print out
}
