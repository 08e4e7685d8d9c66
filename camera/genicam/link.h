#ifndef COILSIGHT_LINK_H
#define COILSIGHT_LINK_H

#include <arv.h>

enum { LINK_RING = 4096 }; // frames that may be open at once: most buffers of a camera

// A link counts what Aravis does not: the packets of each frame. Aravis 0.8 books every packet behind
// the first missing one as missing, and an underrun for every packet of a frame without a buffer.
// The stream's thread writes, any thread reads.
typedef struct {
	ArvStream *stream;   // set once, before the first frame
	gint control_lost;   // the camera answers no more, or to somebody else
	gint unwatched;      // nobody tells the link of it any more
	guint64 starts[LINK_RING]; // packets that had been put into frames when a frame began
	guint64 started, done;
	guint64 popped;      // of the popping thread alone
	gint64 received[LINK_RING]; // packets put into a frame, by the order in which frames end
} coil_link;

typedef struct {
	guint64 received, resent, no_buffer; // packets
} coil_counts;

void coil_callback(void *link, ArvStreamCallbackType type, ArvBuffer *buffer);

// coil_watch lets a device tell the link when control of it is lost. It gives the handler for coil_give_up.
gulong coil_watch(ArvDevice *device, coil_link *link);

// coil_give_up ends a device that nobody else holds. The link is not used afterwards.
void coil_give_up(ArvDevice *device, gulong handler, coil_link *link);

// coil_pop waits up to timeout microseconds for a buffer; NULL is none. packets becomes how many
// packets of the frame arrived; it is exact where frames do not overlap, that is without resending.
ArvBuffer *coil_pop(coil_link *link, guint64 timeout, gint64 *packets);

// coil_chunk reads an integer out of a frame's chunk data. It is FALSE where the frame carries no such chunk.
gboolean coil_chunk(ArvChunkParser *parser, ArvBuffer *buffer, const char *name, gint64 *value);

// coil_room gives the socket of a GigE Vision stream a buffer of so many bytes, or what the kernel
// allows. Aravis does so when it has read the first packet, and loses the end of the first frame.
void coil_room(ArvStream *stream, int bytes);

coil_counts coil_count(coil_link *link);

enum { KIND_OTHER, KIND_ENUM, KIND_BOOL, KIND_INT, KIND_FLOAT, KIND_STRING, KIND_COMMAND, KIND_CATEGORY };

// coil_kind is what values a feature takes.
int coil_kind(ArvGcNode *node);

#endif
