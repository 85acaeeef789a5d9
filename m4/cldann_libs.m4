dnl Probes for the libraries. CLDANN_MISSING and CLDANN_NEED collect, so that configure can name everything that is
dnl missing in one message.

dnl CLDANN_MISSING(WHAT, DEBIAN-PACKAGE, FOR)
AC_DEFUN([CLDANN_MISSING], [missing="$missing
  $1, for $3 (Debian: $2)"])

dnl CLDANN_NEED(PREFIX, PKG-CONFIG-MODULE, DEBIAN-PACKAGE, FOR): a required library; the module with ">= VERSION" where that counts.
AC_DEFUN([CLDANN_NEED], [
  PKG_CHECK_MODULES([$1], [$2], [
    $1_version=`$PKG_CONFIG --modversion m4_bpatsubst([$2], [ .*], [])`
  ], [CLDANN_MISSING([$2], [$3], [$4])])
])

dnl CLDANN_OPENCL: the ICD loader by pkg-config, else header and library where the compiler looks.
AC_DEFUN([CLDANN_OPENCL], [
  opencl_from=no
  PKG_CHECK_MODULES([OPENCL], [OpenCL], [
    opencl_from="ICD loader (pkg-config OpenCL)"
  ], [
    AC_CHECK_HEADER([CL/cl.h], [AC_SEARCH_LIBS([clGetPlatformIDs], [OpenCL], [opencl_from="$ac_cv_search_clGetPlatformIDs"])],
                    [], [#define CL_TARGET_OPENCL_VERSION 120])
  ])
  AS_IF([test "$opencl_from" = no], [CLDANN_MISSING([OpenCL], [ocl-icd-opencl-dev opencl-headers], [every computation])])
])

dnl CLDANN_LINEAR: linear support vector machines. liblinear has no .pc file, and some systems give its header a folder.
AC_DEFUN([CLDANN_LINEAR], [
  have_linear=no
  AC_CHECK_HEADERS([linear.h liblinear/linear.h], [
    AC_CHECK_LIB([linear], [set_print_string_function], [
      have_linear="yes ($ac_header)"
      LINEAR_LIBS=-llinear
    ])
    break
  ], [], [#include <stdbool.h>])
  AC_SUBST([LINEAR_LIBS])
  AS_IF([test "$have_linear" = no], [CLDANN_MISSING([liblinear], [liblinear-dev], [linear support vector machines])])
  dnl From 2.42 on a parameter that is 0 (no) unless it is set.
  AC_CHECK_MEMBERS([struct parameter.regularize_bias], [], [], [
#include <stdbool.h>
#ifdef HAVE_LINEAR_H
#include <linear.h>
#else
#include <liblinear/linear.h>
#endif
])
])

dnl CLDANN_CLBLAST: 1.5.2 or newer (older releases multiply wrongly on CPUs). Defines HAVE_CLBLAST.
AC_DEFUN([CLDANN_CLBLAST], [
  AC_ARG_WITH([clblast], [AS_HELP_STRING([--without-clblast], [do without CLBlast, the GEMM library for GPUs @<:@auto@:>@])],
              [], [with_clblast=auto])
  have_clblast=no
  AS_IF([test "$with_clblast" != no], [
    PKG_CHECK_MODULES([CLBLAST], [clblast >= 1.5.2], [
      have_clblast=`$PKG_CONFIG --modversion clblast`
    ], [AS_IF([$PKG_CONFIG --exists clblast], [AC_MSG_WARN([CLBlast is older than 1.5.2])], [CLDANN_CLBLAST_BY_HEADER])])
    AS_IF([test "$with_clblast.$have_clblast" = yes.no],
          [AC_MSG_ERROR([--with-clblast: CLBlast 1.5.2 or newer not found (Debian: libclblast-dev)])])
  ])
  AS_IF([test "$have_clblast" != no], [AC_DEFINE([HAVE_CLBLAST], [1], [CLBlast can multiply matrices on GPUs])])
])

dnl Its C header and library without a .pc file.
AC_DEFUN([CLDANN_CLBLAST_BY_HEADER], [
  cldann_saved_libs=$LIBS
  cldann_saved_cppflags=$CPPFLAGS
  LIBS="$OPENCL_LIBS $LIBS"
  CPPFLAGS="$CPPFLAGS $OPENCL_CFLAGS -DCL_TARGET_OPENCL_VERSION=120"
  dnl Before 1.6.0 the header tells no version: look for the newest function that ops/gemm.c may call.
  AC_CHECK_HEADER([clblast_c.h], [AC_CHECK_LIB([clblast], [CLBlastSgemmWithTempBuffer], [
    have_clblast="yes (clblast_c.h)"
    CLBLAST_LIBS=-lclblast
  ])])
  LIBS=$cldann_saved_libs
  CPPFLAGS=$cldann_saved_cppflags
])

dnl CLDANN_CURL: downloads. Defines HAVE_LIBCURL.
AC_DEFUN([CLDANN_CURL], [
  AC_ARG_WITH([curl], [AS_HELP_STRING([--without-curl], [do without libcurl, which fetches data sets @<:@auto@:>@])],
              [], [with_curl=auto])
  have_curl=no
  AS_IF([test "$with_curl" != no], [
    PKG_CHECK_MODULES([CURL], [libcurl >= 7.55], [
      have_curl=`$PKG_CONFIG --modversion libcurl`
    ], [AS_IF([test "$with_curl" = yes], [AC_MSG_ERROR([--with-curl: libcurl not found (Debian: libcurl4-openssl-dev)])])])
  ])
  AS_IF([test "$have_curl" != no], [AC_DEFINE([HAVE_LIBCURL], [1], [libcurl can fetch data sets])])
])

dnl CLDANN_HDF5: data sets in HDF5. Defines HAVE_HDF5. Some systems have no hdf5.pc.
AC_DEFUN([CLDANN_HDF5], [
  AC_ARG_WITH([hdf5], [AS_HELP_STRING([--without-hdf5], [do without libhdf5, which reads HDF5 data sets @<:@auto@:>@])],
              [], [with_hdf5=auto])
  have_hdf5=no
  AS_IF([test "$with_hdf5" != no], [
    PKG_CHECK_MODULES([HDF5], [hdf5 >= 1.8.12], [
      have_hdf5=`$PKG_CONFIG --modversion hdf5`
    ], [AC_CHECK_HEADER([hdf5.h], [AC_CHECK_LIB([hdf5], [H5Fopen], [
      have_hdf5="yes (hdf5.h)"
      HDF5_LIBS=-lhdf5
    ])])])
    AS_IF([test "$with_hdf5.$have_hdf5" = yes.no], [AC_MSG_ERROR([--with-hdf5: libhdf5 not found (Debian: libhdf5-dev)])])
  ])
  AS_IF([test "$have_hdf5" != no], [AC_DEFINE([HAVE_HDF5], [1], [libhdf5 can read data sets])])
])

dnl CLDANN_MATIO: MATLAB files. Defines HAVE_MATIO.
AC_DEFUN([CLDANN_MATIO], [
  AC_ARG_WITH([matio], [AS_HELP_STRING([--without-matio], [do without matio, which reads MATLAB files @<:@auto@:>@])],
              [], [with_matio=auto])
  have_matio=no
  AS_IF([test "$with_matio" != no], [
    PKG_CHECK_MODULES([MATIO], [matio >= 1.5], [
      have_matio=`$PKG_CONFIG --modversion matio`
    ], [AS_IF([test "$with_matio" = yes], [AC_MSG_ERROR([--with-matio: matio not found (Debian: libmatio-dev)])])])
  ])
  AS_IF([test "$have_matio" != no], [AC_DEFINE([HAVE_MATIO], [1], [matio can read MATLAB files])])
])

dnl CLDANN_PROTOBUFC: ONNX and TensorBoard files: protobuf-c and its compiler. Defines HAVE_PROTOBUFC.
AC_DEFUN([CLDANN_PROTOBUFC], [
  AC_ARG_WITH([protobuf-c],
              [AS_HELP_STRING([--without-protobuf-c], [do without protobuf-c, which writes ONNX and TensorBoard files @<:@auto@:>@])],
              [], [with_protobuf_c=auto])
  have_protobufc=no
  AS_IF([test "$with_protobuf_c" != no], [
    AC_PATH_PROG([PROTOC_C], [protoc-c])
    PKG_CHECK_MODULES([PROTOBUFC], [libprotobuf-c >= 1.3], [AS_IF([test -n "$PROTOC_C"], [
      have_protobufc=`$PKG_CONFIG --modversion libprotobuf-c`
    ])], [:])
    AS_IF([test "$with_protobuf_c.$have_protobufc" = yes.no],
          [AC_MSG_ERROR([--with-protobuf-c: not found (Debian: libprotobuf-c-dev and protobuf-c-compiler)])])
  ])
  AM_CONDITIONAL([HAVE_PROTOBUFC], [test "$have_protobufc" != no])
  AS_IF([test "$have_protobufc" != no], [AC_DEFINE([HAVE_PROTOBUFC], [1], [protobuf-c can write ONNX and TensorBoard files])])
])

dnl CLDANN_MICROHTTPD: a run's page in a browser; of the command alone, not of the library. Defines HAVE_MICROHTTPD.
AC_DEFUN([CLDANN_MICROHTTPD], [
  AC_ARG_WITH([microhttpd],
              [AS_HELP_STRING([--without-microhttpd], [do without libmicrohttpd, which shows runs in a browser @<:@auto@:>@])],
              [], [with_microhttpd=auto])
  have_microhttpd=no
  AS_IF([test "$with_microhttpd" != no], [
    PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.71], [
      have_microhttpd=`$PKG_CONFIG --modversion libmicrohttpd`
    ], [AS_IF([test "$with_microhttpd" = yes],
              [AC_MSG_ERROR([--with-microhttpd: libmicrohttpd 0.9.71 or newer not found (Debian: libmicrohttpd-dev)])])])
  ])
  AS_IF([test "$have_microhttpd" != no], [AC_DEFINE([HAVE_MICROHTTPD], [1], [libmicrohttpd can serve a page])])
])
