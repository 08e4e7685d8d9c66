package appliance

import (
	"math"
	"sync"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// The live picture is made of the detector's block means: a cell is cellBlocksAcross x cellBlocksAlong
// blocks of 8 x 8 pixels, 8 x 16 mm at 0.5 mm a pixel.
const (
	blockPixels      = 8
	cellBlocksAcross = 2
	cellBlocksAlong  = 4
	// pictureRows is how much is kept for viewers that fall behind: 65 m at 0.5 mm.
	pictureRows = 4096
	// mostPictureRows bounds one answer: more than a screen is high.
	mostPictureRows = 2048
)

// livePicture keeps the newest strip of one side as rows of cells, from the operator side on. A row's number is its place on
// the encoder's scale, so that strip that was lost stays blank instead of closing up. Where several cameras look at the side, each
// fills its columns.
type livePicture struct {
	mm      inspection.MM // a pixel, both ways
	counts  float64       // encoder counts of a row
	columns int
	views   map[inspection.CameraID]*pictureView

	mu    sync.Mutex
	rows  []byte  // pictureRows x columns; row n at n % pictureRows
	top   int64   // number of the row after the newest that a camera has begun
	first int64   // oldest row kept
	edge  float64 // operator-side strip edge of the newest frame, in columns
}

// pictureView is the part of a side's picture that one camera fills.
type pictureView struct {
	at, columns int
	mirror      bool  // the operator side is at the right of the frames
	next        int64 // number of the row after its newest
	inside      bool  // the strip's operator-side edge was in its newest frame
}

// lagRows is how far a camera may fall behind the others before the picture goes on without it.
const lagRows = 64

// newLivePicture makes the picture of a side from its cameras.
func newLivePicture(cameras []*eye) *livePicture {
	g := cameras[0].geometry
	p := &livePicture{mm: g.MMPerPixel, counts: float64(blockPixels * cellBlocksAlong * g.MMPerPixel / g.MMPerCount), views: map[inspection.CameraID]*pictureView{}}
	cell := p.mm * blockPixels * cellBlocksAcross
	start := cameras[0].from()
	for _, c := range cameras {
		start = min(start, c.from())
	}
	for _, c := range cameras {
		v := &pictureView{
			at: int(math.Round(float64((c.from() - start) / cell))), columns: (c.width + blockPixels - 1) / blockPixels / cellBlocksAcross,
			mirror: c.geometry.OperatorSideRight,
		}
		p.views[c.id] = v
		p.columns = max(p.columns, v.at+v.columns)
	}
	p.rows = make([]byte, pictureRows*p.columns)
	return p
}

// rowAt is the first row at or behind an encoder count.
func (p *livePicture) rowAt(at inspection.EncoderCount) int64 {
	return int64(math.Ceil(float64(at) / p.counts))
}

// add enters a screened frame.
func (p *livePicture) add(id inspection.CameraID, span inspection.EncoderSpan, s *inspection.Screening) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.views[id]
	from, to := p.rowAt(span.From), p.rowAt(span.To)
	if s.BlockRows < cellBlocksAlong {
		return
	}
	if p.top == 0 || from < v.next-1 { // the first frame, or the scale began anew
		clear(p.rows)
		p.top, p.first = from, from
		for _, o := range p.views {
			o.next = from
		}
	}
	p.place(v, s)
	p.grow(to)
	for n := max(from, p.first); n < to; n++ {
		by := int((float64(n)*p.counts - float64(span.From)) / float64(span.Len()) * float64(s.BlockRows))
		v.reduce(p.row(n)[v.at:][:v.columns], s, min(by, s.BlockRows-cellBlocksAlong))
	}
	v.next = max(v.next, to)
}

// place notes where the strip's operator-side edge is.
func (p *livePicture) place(v *pictureView, s *inspection.Screening) {
	const pixels = blockPixels * cellBlocksAcross
	edge, side := s.Edges.Left/pixels, s.Edges.Left
	if v.mirror {
		edge = float64(s.BlockColumns)/cellBlocksAcross - s.Edges.Right/pixels
		side = float64(s.BlockColumns*blockPixels) - s.Edges.Right
	}
	v.inside = s.Edges.Present && side >= 1
	if s.Edges.Present && (v.inside || v.at == 0) {
		p.edge = float64(v.at) + edge
	}
}

// grow makes blank rows up to a number.
func (p *livePicture) grow(top int64) {
	p.top = max(p.top, top-pictureRows)
	for ; p.top < top; p.top++ {
		clear(p.row(p.top))
	}
	p.first = max(p.first, p.top-pictureRows)
}

// ready is the number of the row after the newest that all cameras have filled which are not far behind.
func (p *livePicture) ready() int64 {
	ready := p.top
	for _, v := range p.views {
		if v.next > p.top-lagRows {
			ready = min(ready, v.next)
		}
	}
	return ready
}

func (p *livePicture) row(n int64) []byte {
	i := int((n%pictureRows+pictureRows)%pictureRows) * p.columns // strip that ran backwards counts below 0
	return p.rows[i : i+p.columns]
}

func (v *pictureView) reduce(row []byte, s *inspection.Screening, by int) {
	for c := range row {
		sum := 0
		for y := by; y < by+cellBlocksAlong; y++ {
			at := y*s.BlockColumns + c*cellBlocksAcross
			for _, m := range s.Means[at : at+cellBlocksAcross] {
				sum += int(m)
			}
		}
		to := c
		if v.mirror {
			to = len(row) - 1 - c
		}
		row[to] = byte(sum / (cellBlocksAcross * cellBlocksAlong))
	}
}

// after copies the rows behind a row number, the newest if there are too many. head is the encoder
// count of the running coil's head end, negative without one.
func (p *livePicture) after(row int64, head int64) web.StripPicture {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.ready()
	from := max(row+1, p.first, next-mostPictureRows)
	pic := web.StripPicture{
		FirstRow: from, Columns: p.columns, HeadRow: -1, LeftEdge: p.edge,
		MMPerRow:    float64(p.mm) * blockPixels * cellBlocksAlong,
		MMPerColumn: float64(p.mm) * blockPixels * cellBlocksAcross,
	}
	if head >= 0 {
		pic.HeadRow = p.rowAt(inspection.EncoderCount(head))
	}
	if from >= next {
		pic.FirstRow = next
		return pic
	}
	pic.Rows = make([]byte, 0, int(next-from)*p.columns)
	for n := from; n < next; n++ {
		pic.Rows = append(pic.Rows, p.row(n)...)
	}
	return pic
}
