package appliance

import (
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

// livePicture keeps the newest strip of one side as rows of cells. A row's number is its place on the
// encoder's scale, so that strip that was lost stays blank instead of closing up.
type livePicture struct {
	mm     inspection.MM // a pixel, both ways
	mirror bool          // the operator side is at the right of the frames

	mu      sync.Mutex
	columns int
	rows    []byte  // pictureRows x columns; row n at n % pictureRows
	next    int64   // number of the row after the newest; 0 before the first
	first   int64   // oldest row kept
	edge    float64 // operator-side strip edge of the newest frame, in columns
}

func (p *livePicture) countsPerRow() int64 { return blockPixels * cellBlocksAlong }

// add enters a screened frame. Lines and encoder counts are one to one.
func (p *livePicture) add(span inspection.EncoderSpan, s *inspection.Screening) {
	p.mu.Lock()
	defer p.mu.Unlock()
	columns := s.BlockColumns / cellBlocksAcross
	if columns == 0 {
		return
	}
	from := int64(span.From) / p.countsPerRow()
	n := int64(s.BlockRows / cellBlocksAlong)
	if columns != p.columns || from < p.next-1 {
		p.columns, p.rows = columns, make([]byte, pictureRows*columns)
		p.next, p.first = from, from
	}
	if s.Edges.Present {
		const pixels = blockPixels * cellBlocksAcross
		p.edge = s.Edges.Left / pixels
		if p.mirror {
			p.edge = float64(columns) - s.Edges.Right/pixels
		}
	}
	for p.next < from { // lost strip
		clear(p.row(p.next))
		p.next++
		if from-p.next > pictureRows {
			p.next = from - pictureRows
		}
	}
	for y := range n {
		p.reduce(p.row(from+y), s, int(y)*cellBlocksAlong)
	}
	p.next = max(p.next, from+n)
	p.first = max(p.first, p.next-pictureRows)
}

func (p *livePicture) row(n int64) []byte {
	i := int(n%pictureRows) * p.columns
	return p.rows[i : i+p.columns]
}

func (p *livePicture) reduce(row []byte, s *inspection.Screening, by int) {
	for c := range row {
		sum := 0
		for y := by; y < by+cellBlocksAlong; y++ {
			at := y*s.BlockColumns + c*cellBlocksAcross
			for _, m := range s.Means[at : at+cellBlocksAcross] {
				sum += int(m)
			}
		}
		to := c
		if p.mirror {
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
	from := max(row+1, p.first, p.next-mostPictureRows)
	pic := web.StripPicture{
		FirstRow: from, Columns: p.columns, HeadRow: -1, LeftEdge: p.edge,
		MMPerRow:    float64(p.mm) * float64(p.countsPerRow()),
		MMPerColumn: float64(p.mm) * blockPixels * cellBlocksAcross,
	}
	if head >= 0 {
		pic.HeadRow = head / p.countsPerRow()
	}
	if from >= p.next {
		pic.FirstRow = p.next
		return pic
	}
	pic.Rows = make([]byte, 0, int(p.next-from)*p.columns)
	for n := from; n < p.next; n++ {
		pic.Rows = append(pic.Rows, p.row(n)...)
	}
	return pic
}
