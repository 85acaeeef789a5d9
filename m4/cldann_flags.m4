dnl CLDANN_COMPILER_FLAGS: our own flags, each tried first, into CLDANN_CFLAGS (the Makefile's AM_CFLAGS).
dnl The user's CFLAGS are never touched; they come later on the command line, so they win.

AC_DEFUN([CLDANN_TRY_FLAG], [
  AS_VAR_PUSHDEF([cache], [cldann_cv_flag_$1])
  AC_CACHE_CHECK([whether $CC accepts $1], [cache], [
    cldann_saved_cflags=$CFLAGS
    dnl Clang accepts unknown -W flags with a warning, so make it one that counts.
    CFLAGS="$CFLAGS -Werror $1"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
    CFLAGS=$cldann_saved_cflags
  ])
  AS_VAR_IF([cache], [yes], [CLDANN_CFLAGS="$CLDANN_CFLAGS $1"])
  AS_VAR_POPDEF([cache])
])

AC_DEFUN([CLDANN_COMPILER_FLAGS], [
  CLDANN_CFLAGS=
  CLDANN_TRY_FLAG([-std=c11])
  CLDANN_TRY_FLAG([-pthread])
  dnl No fused multiply-add behind our back: host results must agree between machines.
  CLDANN_TRY_FLAG([-ffp-contract=off])
  CLDANN_TRY_FLAG([-Wall])
  CLDANN_TRY_FLAG([-Wextra])
  CLDANN_TRY_FLAG([-Wshadow])
  CLDANN_TRY_FLAG([-Wstrict-prototypes])
  CLDANN_TRY_FLAG([-Wmissing-prototypes])
  CLDANN_TRY_FLAG([-Wpointer-arith])
  CLDANN_TRY_FLAG([-Wundef])
  CLDANN_TRY_FLAG([-Wvla])
  AC_SUBST([CLDANN_CFLAGS])
])

dnl CLDANN_VERSION_SCRIPT: does the linker give symbols a version by a script? Sets the automake conditional of that name.
AC_DEFUN([CLDANN_VERSION_SCRIPT], [
  AC_CACHE_CHECK([whether the linker takes a version script], [cldann_cv_version_script], [
    cldann_saved_ldflags=$LDFLAGS
    echo 'CLDANN_0 { global: cldann_*; local: *; };' >conftest.map
    LDFLAGS="$LDFLAGS -shared -fPIC -Wl,--version-script=conftest.map"
    AC_LINK_IFELSE([AC_LANG_SOURCE([int cldann_x(void); int cldann_x(void) { return 0; }])],
                   [cldann_cv_version_script=yes], [cldann_cv_version_script=no])
    LDFLAGS=$cldann_saved_ldflags
    rm -f conftest.map
  ])
  AM_CONDITIONAL([VERSION_SCRIPT], [test "$cldann_cv_version_script" = yes])
])
