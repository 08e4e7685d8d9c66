package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// Teachings is what the plant's own strip taught, in versions that never change, and which of them is active. Errors
// are *inspection.NotFoundError, *inspection.FieldError (what must not be done, with the reason),
// *inspection.ConflictError, *inspection.StaleError, or a failure.
type Teachings interface {
	Teachings() (TeachingList, error)
	Teaching(id string) (TeachingDetail, error)
	// QuestionPicture and TeachingPicture are PNGs.
	QuestionPicture(id string, number int) ([]byte, error)
	TeachingPicture(id string) ([]byte, error)
	// AnswerTeaching makes the next version; it takes seconds.
	AnswerTeaching(ctx context.Context, id, by string, answers []TeachingAnswer) (TeachingDetail, error)
	// The changes take effect at the next coil. Revision is that of the list that the person saw; 0 for any.
	ActivateTeaching(id, by string, revision int) error
	RollBackTeaching(by string, revision int) error
	StopTeaching(by string, revision int) error
}

// teachingsTag begins the ETag of the list of teachings.
const teachingsTag = "teachings"

// TeachingActivation says which version was made active, when and by whom.
type TeachingActivation struct {
	ID string    `json:"id" doc:"Empty: no teaching"`
	At time.Time `json:"at,omitzero"`
	By string    `json:"by,omitempty"`
}

// TeachingList is every version, and which of them are in use.
type TeachingList struct {
	Revision     int                 `json:"revision" doc:"Grows with each change of which version is active; the ETag holds it"`
	Active       TeachingActivation  `json:"active" doc:"The version that coils are judged with that begin from now on"`
	Previous     *TeachingActivation `json:"previous,omitempty" doc:"What a rollback makes active; absent where nothing was so before"`
	AtWork       string              `json:"at_work" doc:"The version that judges the line now; empty where none does. Another one that is active takes over at the next coil"`
	Refused      []string            `json:"refused" doc:"Why the active version, or the model, is not taken by the line"`
	Teachings    []Teaching          `json:"teachings" doc:"The newest first"`
	Unreadable   []UnreadableFile    `json:"unreadable" doc:"Versions that cannot be read"`
	LearnCommand string              `json:"learn_command" doc:"What teaches a new version, on the appliance"`
}

// UnreadableFile is a version that cannot be read.
type UnreadableFile struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Teaching is one version in figures.
type Teaching struct {
	ID       string        `json:"id" doc:"NAME-vN, the name as given, such as that of the line"`
	Name     string        `json:"name"`
	Version  int           `json:"version"`
	From     int           `json:"from,omitempty" doc:"The version that answers were given to; absent where it was learned from pictures"`
	Created  time.Time     `json:"created"`
	By       string        `json:"by,omitempty"`
	Model    string        `json:"model" doc:"The model that it belongs to"`
	Unfit    string        `json:"unfit,omitempty" doc:"Why it cannot be used with the model of the line"`
	Strip    TaughtStrip   `json:"strip"`
	Before   TaughtCount   `json:"before" doc:"What would be reported of that strip without the teaching"`
	After    TaughtCount   `json:"after" doc:"and with it"`
	Golden   TaughtGolden  `json:"golden"`
	Limits   []TaughtLimit `json:"limits" doc:"Limits of the detector that are raised"`
	Looks    int           `json:"looks" doc:"Looks of the strip's texture that are taken for normal"`
	Asked    int           `json:"asked" doc:"Regions that a person is asked about"`
	Answered int           `json:"answered"`
}

// TaughtStrip is the strip that was learned from.
type TaughtStrip struct {
	Pictures   int      `json:"pictures"`
	Metres     float64  `json:"metres"`
	MMPerPixel float64  `json:"mm_per_pixel"`
	Continuous bool     `json:"continuous" doc:"Each picture goes on where the one before ended"`
	Folders    []string `json:"folders" doc:"Where the pictures lay"`
}

// TaughtCount is what would be reported of the strip.
type TaughtCount struct {
	Found    int     `json:"found" doc:"Regions of the detector"`
	Reported int     `json:"reported"`
	PerMetre float64 `json:"per_metre" doc:"Reported in a metre of strip"`
}

// TaughtGolden is how the model's golden defects fare, set into this strip.
type TaughtGolden struct {
	SetIn  int `json:"set_in"`
	Before int `json:"before" doc:"Found with their class without the teaching"`
	After  int `json:"after" doc:"and with it"`
}

// TaughtLimit is the factor on one limit of the detector.
type TaughtLimit struct {
	Measure string  `json:"measure"`
	Factor  float64 `json:"factor"`
}

// TeachingDetail is a version with its questions.
type TeachingDetail struct {
	Teaching
	GivenBack []TaughtLimit      `json:"given_back" doc:"Limits that were not raised so far: the golden defects did not allow it, or nothing was won"`
	Classes   []TaughtClass      `json:"classes" doc:"By class, what was reported most first"`
	Recurring []TaughtRecurring  `json:"recurring" doc:"What comes back at one place, which is not learned"`
	Questions []TeachingQuestion `json:"questions" doc:"The regions that tell most, first those that most others resemble"`
}

// TaughtClass is one class before and after, on the strip and of the golden defects set into it.
type TaughtClass struct {
	Class        inspection.DefectClass `json:"class"`
	Before       int                    `json:"before" doc:"Reported of the strip without the teaching"`
	After        int                    `json:"after"`
	GoldenSetIn  int                    `json:"golden_set_in"`
	GoldenBefore int                    `json:"golden_before"`
	GoldenAfter  int                    `json:"golden_after"`
}

// TaughtRecurring is what comes back at one place across the strip.
type TaughtRecurring struct {
	Class   inspection.DefectClass `json:"class"`
	Across  float64                `json:"across" doc:"0 at the left edge of the pictures' strip, 1 at the right"`
	Members int                    `json:"members"`
	Every   float64                `json:"every_mm,omitempty" doc:"Distance along; absent where none was found"`
}

// TeachingQuestion is a region that a person is asked about.
type TeachingQuestion struct {
	Number     int                    `json:"number"`
	Why        string                 `json:"why" enum:"look,recurring,limit,sure" doc:"It stands for a look that was learned as normal; comes back at one place; lies next to what is taken for normal; the model is surest of it"`
	Class      inspection.DefectClass `json:"class" doc:"What the model calls it"`
	Confidence float64                `json:"confidence"`
	Alike      int                    `json:"alike" doc:"Regions of the strip that look like it, itself among them"`
	Picture    string                 `json:"picture" doc:"File that it lies in"`
	Across     float64                `json:"across" doc:"0 at the left edge of the strip, 1 at the right"`
	Along      float64                `json:"along_mm" doc:"From the start of the picture"`
	Length     float64                `json:"length_mm"`
	Width      float64                `json:"width_mm"`
	Answer     string                 `json:"answer,omitempty" doc:"normal, defect, or a class"`
	By         string                 `json:"by,omitempty"`
}

// TeachingAnswer is what a person says to a question.
type TeachingAnswer struct {
	Number int    `json:"number" minimum:"1"`
	Answer string `json:"answer" minLength:"1" maxLength:"64" doc:"normal, defect, or a class of the model, which counts as defect"`
}

// TeachingAnswersRequest gives answers to a version's questions.
type TeachingAnswersRequest struct {
	By      string           `json:"by" minLength:"1" maxLength:"64" doc:"The name of the person"`
	Answers []TeachingAnswer `json:"answers" minItems:"1" maxItems:"64"`
}

// TeachingChangeRequest says who changes which version is active.
type TeachingChangeRequest struct {
	By string `json:"by" minLength:"1" maxLength:"64" doc:"The name of the person"`
}

func (a *api) registerTeachings() {
	const atNextCoil = "A coil that runs goes on as it began; the change takes effect where the next coil begins: at_work tells which version judges the line. 412 where somebody changed the active version since the list was read."
	read := []int{http.StatusNotFound, http.StatusInternalServerError}
	tags := []string{"teaching"}
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-teachings", Method: http.MethodGet, Path: "/api/v1/teachings", Tags: tags,
		Summary:     "List what the plant's own strip taught, and which version is active",
		Description: "A version is learned from pictures of strip by \"coilsight teach learn\", belongs to one model, and never changes.",
		Errors:      []int{http.StatusInternalServerError},
	}, a.listTeachings)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-teaching", Method: http.MethodGet, Path: "/api/v1/teachings/{id}", Tags: tags,
		Summary: "Read one version with its questions",
		Errors:  read,
	}, a.getTeaching)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-teaching-picture", Method: http.MethodGet, Path: "/api/v1/teachings/{id}/picture", Tags: tags,
		Summary:   "Read the picture of what would be reported before and after",
		Responses: binaryAnswer("image/png", "Strip before, and below it after; red is reported, green is taken for normal"),
		Errors:    read,
	}, func(ctx context.Context, in *TeachingPath) (*bytesOutput, error) {
		return a.answerPicture(ctx)(a.Teachings.TeachingPicture(in.ID))
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-question-picture", Method: http.MethodGet, Path: "/api/v1/teachings/{id}/questions/{number}/picture", Tags: tags,
		Summary:   "Read the picture of a question: the region, framed, with the strip around it",
		Responses: binaryAnswer("image/png", "The picture"),
		Errors:    append(read, http.StatusUnprocessableEntity),
	}, func(ctx context.Context, in *struct {
		TeachingPath
		Number int `path:"number" minimum:"1"`
	},
	) (*bytesOutput, error) {
		return a.answerPicture(ctx)(a.Teachings.QuestionPicture(in.ID, in.Number))
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "answer-teaching", Method: http.MethodPost, Path: "/api/v1/teachings/{id}/answers", Tags: tags,
		Summary:       "Answer questions of a version, which makes the next one",
		Description:   "What is called normal is taken for normal however sure the model is; what is called a defect never is. The golden defects are checked again, which takes seconds; 422 with the reason where they do not allow the answers. Nothing is activated. To give the request up gives the answers up.",
		DefaultStatus: http.StatusCreated,
		Errors:        commandErrors(), MaxBodyBytes: maxBody,
	}, a.answerTeaching)
	huma.Register(a.huma, huma.Operation{
		OperationID: "activate-teaching", Method: http.MethodPost, Path: "/api/v1/teachings/{id}/activate", Tags: tags,
		Summary:     "Take a version into use",
		Description: "422 with the reason where it does not fit the model. " + atNextCoil,
		Errors:      reviewErrors(), MaxBodyBytes: maxBody,
	}, a.activateTeaching)
	huma.Register(a.huma, huma.Operation{
		OperationID: "rollback-teaching", Method: http.MethodPost, Path: "/api/v1/teachings/rollback", Tags: tags,
		Summary:     "Go back to the version that was active before, or to none where none was",
		Description: "Once more goes back further; 409 where there is nothing to go back to. " + atNextCoil,
		Errors:      reviewErrors(), MaxBodyBytes: maxBody,
	}, a.changeTeaching(func(by string, revision int) error { return a.Teachings.RollBackTeaching(by, revision) }))
	huma.Register(a.huma, huma.Operation{
		OperationID: "stop-teaching", Method: http.MethodPost, Path: "/api/v1/teachings/off", Tags: tags,
		Summary:     "Go on without a teaching",
		Description: atNextCoil,
		Errors:      reviewErrors(), MaxBodyBytes: maxBody,
	}, a.changeTeaching(func(by string, revision int) error { return a.Teachings.StopTeaching(by, revision) }))
}

// TeachingPath is the id of a version.
type TeachingPath struct {
	ID string `path:"id" maxLength:"64" doc:"NAME-vN, such as line-2-v1"`
}

type teachingListOutput struct {
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         TeachingList
}

func (a *api) listTeachings(ctx context.Context, _ *struct{}) (*teachingListOutput, error) {
	l, err := a.Teachings.Teachings()
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	l.Refused, l.Teachings, l.Unreadable = list(l.Refused), list(l.Teachings), list(l.Unreadable)
	for i := range l.Teachings {
		l.Teachings[i].listed()
	}
	return &teachingListOutput{ETag: fmt.Sprintf(`"%s-%d"`, teachingsTag, l.Revision), CacheControl: "no-cache", Body: l}, nil
}

// listed makes every list of it one that is not null.
func (t *Teaching) listed() {
	t.Limits, t.Strip.Folders = list(t.Limits), list(t.Strip.Folders)
}

type teachingOutput struct{ Body TeachingDetail }

func (a *api) answerDetail(ctx context.Context, d TeachingDetail, err error) (*teachingOutput, error) {
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	d.listed()
	d.GivenBack, d.Classes, d.Recurring, d.Questions = list(d.GivenBack), list(d.Classes), list(d.Recurring), list(d.Questions)
	return &teachingOutput{d}, nil
}

func (a *api) getTeaching(ctx context.Context, in *TeachingPath) (*teachingOutput, error) {
	d, err := a.Teachings.Teaching(in.ID)
	return a.answerDetail(ctx, d, err)
}

// answerPicture answers with a PNG that was read. Versions never change, but a record that is begun anew has others
// of the same names.
func (a *api) answerPicture(ctx context.Context) func([]byte, error) (*bytesOutput, error) {
	return func(png []byte, err error) (*bytesOutput, error) {
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		return &bytesOutput{ContentType: "image/png", CacheControl: "no-cache", Body: png}, nil
	}
}

// person is who commands, without the blanks around the name.
func person(by string) (string, error) {
	by = strings.TrimSpace(by)
	return by, inspection.CheckReviewer(by)
}

func (a *api) answerTeaching(ctx context.Context, in *struct {
	TeachingPath
	Body TeachingAnswersRequest
},
) (*teachingOutput, error) {
	by, err := person(in.Body.By)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	d, err := a.Teachings.AnswerTeaching(ctx, in.ID, by, in.Body.Answers)
	return a.answerDetail(ctx, d, err)
}

type teachingChangeInput struct {
	IfMatch
	Body TeachingChangeRequest
}

// changeTeaching commands a change and answers with the list as it is then.
func (a *api) changeTeaching(change func(by string, revision int) error) func(context.Context, *teachingChangeInput) (*teachingListOutput, error) {
	return func(ctx context.Context, in *teachingChangeInput) (*teachingListOutput, error) {
		revision, err := in.revision(teachingsTag)
		if err != nil {
			return nil, err
		}
		by, err := person(in.Body.By)
		if err == nil {
			err = change(by, revision)
		}
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		return a.listTeachings(ctx, nil)
	}
}

func (a *api) activateTeaching(ctx context.Context, in *struct {
	TeachingPath
	IfMatch
	Body TeachingChangeRequest
},
) (*teachingListOutput, error) {
	activate := a.changeTeaching(func(by string, revision int) error {
		return a.Teachings.ActivateTeaching(in.ID, by, revision)
	})
	return activate(ctx, &teachingChangeInput{in.IfMatch, in.Body})
}
