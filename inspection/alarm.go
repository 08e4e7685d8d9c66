package inspection

import "time"

// AlarmPriority is how soon a person must act, by ISA-18.2.
type AlarmPriority string

// Priorities, the most urgent first.
const (
	HighPriority   AlarmPriority = "high"
	MediumPriority AlarmPriority = "medium"
	LowPriority    AlarmPriority = "low"
)

// AlarmPriorities lists them, the most urgent first.
func AlarmPriorities() []AlarmPriority {
	return []AlarmPriority{HighPriority, MediumPriority, LowPriority}
}

// AlarmState is where an alarm stands, by ISA-18.2. One that is normal is not listed.
type AlarmState string

// States of an alarm.
const (
	AlarmActive       AlarmState = "active"         // its condition holds, and nobody has said that he knows
	AlarmAcknowledged AlarmState = "acknowledged"   // it holds, and somebody knows
	AlarmReturned     AlarmState = "returned"       // it has gone, and nobody has said that he knew
	AlarmShelved      AlarmState = "shelved"        // a person does not want to be told, until a time
	AlarmOutOfService AlarmState = "out_of_service" // a person does not want to be told, until it is put in service again
)

// Alarm is a condition that asks for a person. Screens translate Code; Values fill the text.
type Alarm struct {
	Key      string        `json:"key" doc:"Names it for commands: its code, and what it is about"`
	Code     string        `json:"code" doc:"inspection_lost, camera_lost, severe_defect, defect_density, coverage_low, roll_period, no_coil, provider_mismatch, model_refused, record_failing, disk_low, classifier_late, headroom_low, not_calibrated, lamp_lost, lamp_failing, lamp_ageing, window_dirty, focus_soft, motion_blur, camera_changed, check_due, encoder_silent, encoder_stalled, encoder_mismatch, encoder_jumped, strip_backwards"`
	Priority AlarmPriority `json:"priority" enum:"high,medium,low"`
	State    AlarmState    `json:"state" enum:"active,acknowledged,returned,shelved,out_of_service"`
	Since    time.Time     `json:"since" doc:"Since when its condition holds; of one that has gone, held; of one that is shelved or out of service, since when it is"`
	// Times it was raised while nobody acknowledged it.
	Times    int  `json:"times"`
	FirstOut bool `json:"first_out" doc:"It came first, when no other stood: often the cause of the rest"`
	// By and Reason are of who acknowledged it, shelved it or put it out of service.
	By     string            `json:"by,omitempty"`
	Reason string            `json:"reason,omitempty"`
	Until  *time.Time        `json:"until,omitempty" doc:"When a shelved one comes back"`
	Values map[string]string `json:"values,omitempty"`
}

// AlarmEvent is what became of an alarm.
type AlarmEvent string

// Events of an alarm.
const (
	AlarmRaised        AlarmEvent = "raised"
	AlarmWasReturned   AlarmEvent = "returned" // its condition has gone
	AlarmWasAcked      AlarmEvent = "acknowledged"
	AlarmWasShelved    AlarmEvent = "shelved"
	AlarmUnshelved     AlarmEvent = "unshelved" // by a person, or because its time was over
	AlarmTakenOut      AlarmEvent = "out_of_service"
	AlarmPutInService  AlarmEvent = "in_service"
	AlarmFloodBegan    AlarmEvent = "flood_began" // more were raised in ten minutes than a person can take in
	AlarmFloodWasEnded AlarmEvent = "flood_ended"

	AlarmRulesPublished AlarmEvent = "rules_published"
)

// AlarmRecord is one line of the alarms' history. Lines are only added.
type AlarmRecord struct {
	Seq      int64             `json:"seq"`
	At       time.Time         `json:"at"`
	Event    AlarmEvent        `json:"event" enum:"raised,returned,acknowledged,shelved,unshelved,out_of_service,in_service,flood_began,flood_ended,rules_published"`
	Key      string            `json:"key,omitempty" doc:"Absent of a flood and of rules"`
	Code     string            `json:"code,omitempty"`
	Priority AlarmPriority     `json:"priority,omitempty"`
	FirstOut bool              `json:"first_out,omitempty"`
	By       string            `json:"by,omitempty" doc:"Absent: the appliance itself"`
	Reason   string            `json:"reason,omitempty"`
	Until    *time.Time        `json:"until,omitempty"`
	Values   map[string]string `json:"values,omitempty"`
}
