# proto: messages of the formats that protobuf-c writes. protoc-c makes a .c and a .h of each file in the build tree. A new one:
# its name in two lists, its rule, and a line that tells who includes it.
EXTRA_DIST += \
	proto/onnx.proto \
	proto/tensorboard.proto

if HAVE_PROTOBUFC
proto_made = \
	proto/onnx.pb-c.c \
	proto/tensorboard.pb-c.c
nodist_libcldann_internal_la_SOURCES += $(proto_made)
CLEANFILES += $(proto_made) proto/onnx.pb-c.h proto/tensorboard.pb-c.h

proto/onnx.pb-c.c: proto/onnx.proto
	$(AM_V_at)$(MKDIR_P) proto
	$(AM_V_GEN)$(PROTOC_C) -I$(srcdir)/proto --c_out=proto $(srcdir)/proto/onnx.proto
proto/tensorboard.pb-c.c: proto/tensorboard.proto
	$(AM_V_at)$(MKDIR_P) proto
	$(AM_V_GEN)$(PROTOC_C) -I$(srcdir)/proto --c_out=proto $(srcdir)/proto/tensorboard.proto
proto/onnx.pb-c.h: proto/onnx.pb-c.c
proto/tensorboard.pb-c.h: proto/tensorboard.pb-c.c

src/train/export_onnx.lo tests/train_export.$(OBJEXT): proto/onnx.pb-c.h
src/train/tensorboard.lo tests/train_tensorboard.$(OBJEXT): proto/tensorboard.pb-c.h
endif
