package report

import (
	"fmt"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"

	"github.com/coilsight/coilsight/report/font"
)

// Measures of a page of A4, in mm.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	sideMargin = 15.0
	topMargin  = 20.0
	bodyEnd    = 280.0
	bodyWidth  = pageWidth - 2*sideMargin
)

const (
	family     = "coilsight"
	pagesAlias = "{pages}"
	missing    = '□' // in place of what the face does not have
)

// sheet is the paper: pages with their head and foot, and text in the report's face. Places are in mm from the top left.
type sheet struct {
	*fpdf.Fpdf
	words         words
	lang          Language
	y             float64 // where the next block begins
	regular, bold *sfnt.Font
}

// newSheet makes the paper. head stands at the top of each page but the first, foot at the bottom of each.
func newSheet(lang Language, title, head, foot string) (*sheet, error) {
	regular, bold, err := font.Faces()
	if err != nil {
		return nil, err
	}
	s := &sheet{Fpdf: fpdf.New("P", "mm", "A4", ""), words: wordsOf(lang), lang: lang}
	if s.regular, err = sfnt.Parse(regular); err != nil {
		return nil, fmt.Errorf("regular face: %w", err)
	}
	if s.bold, err = sfnt.Parse(bold); err != nil {
		return nil, fmt.Errorf("bold face: %w", err)
	}
	s.AddUTF8FontFromBytes(family, "", regular)
	s.AddUTF8FontFromBytes(family, "B", bold)
	s.SetCatalogSort(true)
	s.SetTitle(title, true)
	s.SetLang(string(lang))
	s.SetMargins(sideMargin, topMargin, sideMargin)
	s.SetCellMargin(0)
	s.SetAutoPageBreak(false, 0)
	s.AliasNbPages(pagesAlias)
	s.SetHeaderFunc(func() {
		if s.PageNo() > 1 {
			s.grey()
			s.whole(sideMargin, 10, bodyWidth, 8, false, head)
			s.rule(15.5)
		}
	})
	s.SetFooterFunc(func() {
		s.rule(pageHeight - 14)
		s.grey()
		s.line(sideMargin, pageHeight-13, bodyWidth-30, 7.5, false, foot)
		s.line(pageWidth-sideMargin-24, pageHeight-13, 30, 7.5, false, s.words.page(s.PageNo(), pagesAlias))
	})
	return s, nil
}

func (s *sheet) black() { s.SetTextColor(20, 22, 24) }

func (s *sheet) grey() { s.SetTextColor(88, 92, 96) }

// rule draws a thin line over the width of the body.
func (s *sheet) rule(y float64) {
	s.SetDrawColor(190, 194, 198)
	s.SetLineWidth(0.2)
	s.Line(sideMargin, y, pageWidth-sideMargin, y)
}

// page begins a new page where less than h mm are left.
func (s *sheet) room(h float64) {
	if s.PageNo() == 0 || s.y+h > bodyEnd {
		s.AddPage()
		s.y = topMargin
	}
}

// heading writes the title of a block, for which h mm must be left below it.
func (s *sheet) heading(text string, h float64) {
	s.room(8 + h)
	s.black()
	s.line(sideMargin, s.y, bodyWidth, 11.5, true, text)
	s.y += 6.6
}

// face chooses the weight and size in points. Text that the bold face lacks is set in the regular one.
func (s *sheet) face(size float64, bold bool, text string) {
	style := ""
	if bold && covers(s.bold, text) {
		style = "B"
	}
	s.SetFont(family, style, size)
}

// line writes one line of text into a width, cut short with … where it is longer; size is in points.
func (s *sheet) line(x, y, width, size float64, bold bool, text string) {
	text = s.clean(text)
	s.face(size, bold, text)
	s.Text(x, y+size*0.353*0.95, s.fit(text, width))
}

// whole writes a line in the largest size in which all of it fits a width, no more than size and no less than 6 points.
func (s *sheet) whole(x, y, width, size float64, bold bool, text string) {
	text = s.clean(text)
	fits := size
	for s.face(fits, bold, text); fits > 6 && s.GetStringWidth(text) > width; s.face(fits, bold, text) {
		fits -= 0.5
	}
	s.Text(x, y+size*0.353*0.95, s.fit(text, width))
}

// right writes one line that ends at x.
func (s *sheet) right(x, y, size float64, bold bool, text string) {
	text = s.clean(text)
	s.face(size, bold, text)
	s.Text(x-s.GetStringWidth(text), y+size*0.353*0.95, text)
}

// lines writes text over at most so many lines of a width and gives their height.
func (s *sheet) lines(x, y, width, size float64, most int, text string) float64 {
	text = s.clean(text)
	s.face(size, false, text)
	step := size * 0.353 * 1.35
	parts := s.SplitText(text, width)
	if len(parts) > most {
		parts[most-1] = strings.Join(parts[most-1:], " ")
	}
	n := min(len(parts), most)
	for i, part := range parts[:n] {
		s.Text(x, y+size*0.353*0.95+float64(i)*step, s.fit(part, width))
	}
	return float64(n) * step
}

// fit cuts clean text in the present face to a width.
func (s *sheet) fit(text string, width float64) string {
	if s.GetStringWidth(text) <= width {
		return text
	}
	r := []rune(text)
	for len(r) > 0 && s.GetStringWidth(string(r)+"…") > width {
		r = r[:len(r)-1]
	}
	return strings.TrimRight(string(r), " ") + "…"
}

// clean makes text printable: Hangul as whole syllables, one line, and a box for what the face lacks.
func (s *sheet) clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		case !covers(s.regular, string(r)):
			return missing
		}
		return r
	}, norm.NFC.String(text))
}

// covers reports whether a face has every character of a text.
func covers(f *sfnt.Font, text string) bool {
	var b sfnt.Buffer
	for _, r := range text {
		if i, err := f.GlyphIndex(&b, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}
