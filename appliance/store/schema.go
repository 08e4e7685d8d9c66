package store

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring a database from version i to i+1. They are only ever added to.
func migrations() []string {
	return []string{`
CREATE TABLE recipes (
	name    TEXT    NOT NULL,
	version INTEGER NOT NULL,
	content TEXT    NOT NULL, -- JSON; never changes
	PRIMARY KEY (name, version)
) WITHOUT ROWID;

CREATE TABLE coils (
	n              INTEGER PRIMARY KEY,
	id             TEXT    NOT NULL UNIQUE,
	state          TEXT    NOT NULL,
	width          REAL    NOT NULL, -- ordered, as are the next four
	thickness      REAL    NOT NULL,
	length         REAL    NOT NULL,
	steel_grade    TEXT    NOT NULL,
	recipe_wanted  TEXT    NOT NULL,
	strip_length   REAL    NOT NULL DEFAULT 0, -- measured
	strip_width    REAL    NOT NULL DEFAULT 0,
	strip_sides    TEXT    NOT NULL DEFAULT '[]', -- JSON; empty stands for both
	revision       INTEGER NOT NULL DEFAULT 1,
	grade          TEXT    NOT NULL DEFAULT '',
	recipe         TEXT    NOT NULL DEFAULT '', -- that grades it
	recipe_version INTEGER NOT NULL DEFAULT 0,
	model          TEXT    NOT NULL DEFAULT '',
	announced_at   INTEGER NOT NULL, -- times are µs since 1970, UTC
	started_at     INTEGER,
	ended_at       INTEGER,
	updated_at     INTEGER NOT NULL,
	ordered_at     INTEGER NOT NULL, -- started or, before that, announced: the order of lists
	gaps           INTEGER NOT NULL DEFAULT 0, -- number of gaps
	result         TEXT -- JSON
);
CREATE INDEX coils_order ON coils (ordered_at, n);
CREATE INDEX coils_running ON coils (state) WHERE state = 'running';

CREATE TABLE defects (
	id        INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never used again
	coil      INTEGER NOT NULL REFERENCES coils (n),
	side      INTEGER NOT NULL, -- 0 top, 1 bottom
	camera    TEXT    NOT NULL,
	along     REAL    NOT NULL,
	across    REAL    NOT NULL,
	length    REAL    NOT NULL,
	width     REAL    NOT NULL,
	class     TEXT    NOT NULL,
	conf      REAL    NOT NULL,
	severity  INTEGER NOT NULL,
	area      REAL    NOT NULL,
	contrast  REAL    NOT NULL,
	seen      INTEGER NOT NULL,
	revision  INTEGER NOT NULL,
	has_image INTEGER NOT NULL
);
CREATE INDEX defects_coil ON defects (coil);

-- What a list of coils shows of their defects, kept so that it need not count them.
CREATE TABLE counts (
	coil  INTEGER NOT NULL REFERENCES coils (n),
	class TEXT    NOT NULL,
	side  INTEGER NOT NULL,
	n     INTEGER NOT NULL,
	PRIMARY KEY (coil, class, side)
) WITHOUT ROWID;

CREATE TABLE gaps (
	id       INTEGER PRIMARY KEY,
	coil     INTEGER NOT NULL REFERENCES coils (n),
	side     INTEGER NOT NULL,
	camera   TEXT    NOT NULL,
	from_mm  REAL    NOT NULL,
	to_mm    REAL    NOT NULL,
	state    TEXT    NOT NULL,
	cause    TEXT    NOT NULL,
	open_end INTEGER NOT NULL
);
CREATE INDEX gaps_coil ON gaps (coil);

CREATE TABLE progress (
	coil  INTEGER NOT NULL REFERENCES coils (n),
	side  INTEGER NOT NULL,
	to_mm REAL    NOT NULL,
	PRIMARY KEY (coil, side)
) WITHOUT ROWID;

CREATE TABLE changes (
	seq      INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never used again
	time     INTEGER NOT NULL,
	type     TEXT    NOT NULL,
	subject  TEXT    NOT NULL,
	revision INTEGER NOT NULL,
	data     TEXT    NOT NULL -- JSON
);

CREATE TABLE consumers (
	name       TEXT PRIMARY KEY,
	acked      INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
) WITHOUT ROWID;
`, `
-- What people said of defects. Rows are only added; the newest of a defect stands.
CREATE TABLE reviews (
	n           INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never used again
	coil        INTEGER NOT NULL REFERENCES coils (n),
	defect      INTEGER NOT NULL REFERENCES defects (id),
	revision    INTEGER NOT NULL, -- of the defect, which the review made
	class       TEXT    NOT NULL,
	reviewer    TEXT    NOT NULL,
	note        TEXT    NOT NULL,
	at          INTEGER NOT NULL,
	model_class TEXT    NOT NULL,
	model_conf  REAL    NOT NULL,
	model       TEXT    NOT NULL
);
CREATE INDEX reviews_coil ON reviews (coil, defect, n);
CREATE INDEX reviews_defect ON reviews (defect, n);

-- Every grade a coil was given. Rows are only added; the newest stands and is also in coils.
CREATE TABLE gradings (
	n          INTEGER PRIMARY KEY,
	coil       INTEGER NOT NULL REFERENCES coils (n),
	at         INTEGER NOT NULL,
	asked_by   TEXT    NOT NULL, -- empty: the line itself, at the end of the coil
	reviewed   INTEGER NOT NULL, -- number of reviewed defects that it rests on
	reviews_to INTEGER NOT NULL, -- the last review that it rests on; 0: none
	result     TEXT    NOT NULL  -- JSON
);
CREATE INDEX gradings_coil ON gradings (coil, n);
INSERT INTO gradings (coil, at, asked_by, reviewed, reviews_to, result)
	SELECT n, coalesce(ended_at, updated_at), '', 0, 0, result FROM coils WHERE result IS NOT NULL ORDER BY n;
`, `
-- Random samples of defects for people to review. Rows are only added. A record that was taken back to an
-- earlier version may have the tables.
CREATE TABLE IF NOT EXISTS samples (
	id              INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never used again
	at              INTEGER NOT NULL,
	asked_by        TEXT    NOT NULL, -- may be empty
	since           INTEGER NOT NULL, -- defects seen before it were left out; 0: none were
	seed            INTEGER NOT NULL, -- the bits of an unsigned number
	without_picture INTEGER NOT NULL,
	models          TEXT    NOT NULL -- JSON
);

CREATE TABLE IF NOT EXISTS sample_strata (
	sample INTEGER NOT NULL REFERENCES samples (id),
	class  TEXT    NOT NULL,
	size   INTEGER NOT NULL, -- at the draw
	drawn  INTEGER NOT NULL,
	PRIMARY KEY (sample, class)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sample_defects (
	sample INTEGER NOT NULL REFERENCES samples (id),
	n      INTEGER NOT NULL, -- from 0, in random order
	defect INTEGER NOT NULL REFERENCES defects (id),
	PRIMARY KEY (sample, n)
) WITHOUT ROWID;
`, `
-- What a map shows of a coil's defects, many in one row: see mappart.go. writeParts fills it for what was there before.
CREATE TABLE IF NOT EXISTS map_parts (
	first   INTEGER PRIMARY KEY, -- id of its first defect
	coil    INTEGER NOT NULL REFERENCES coils (n),
	defects BLOB    NOT NULL
);
CREATE INDEX IF NOT EXISTS map_parts_coil ON map_parts (coil);
`, `
-- The calibrations that were in force when a coil began.
CREATE TABLE IF NOT EXISTS coil_calibrations (
	coil    INTEGER NOT NULL REFERENCES coils (n),
	camera  TEXT    NOT NULL,
	kind    TEXT    NOT NULL,
	version INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	PRIMARY KEY (coil, camera, kind)
) WITHOUT ROWID;
`, `
-- What became of alarms, and what people said of them. Rows are only added.
CREATE TABLE IF NOT EXISTS alarms (
	n         INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never used again
	at        INTEGER NOT NULL,
	event     TEXT    NOT NULL,
	key       TEXT    NOT NULL,
	code      TEXT    NOT NULL,
	priority  TEXT    NOT NULL,
	first_out INTEGER NOT NULL,
	by_whom   TEXT    NOT NULL, -- empty: the appliance itself
	reason    TEXT    NOT NULL,
	until     INTEGER,
	about     TEXT    NOT NULL -- JSON
);
CREATE INDEX IF NOT EXISTS alarms_key ON alarms (key, n);
`, `
-- Whom coils are for, where that was announced.
CREATE TABLE IF NOT EXISTS coil_customers (
	coil     INTEGER PRIMARY KEY REFERENCES coils (n),
	customer TEXT NOT NULL
);

-- What people decided of coils. Rows are only added; a second person confirms one once.
CREATE TABLE IF NOT EXISTS decisions (
	n             INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never used again
	coil          INTEGER NOT NULL REFERENCES coils (n),
	at            INTEGER NOT NULL,
	by_whom       TEXT    NOT NULL,
	disposition   TEXT    NOT NULL,
	grade         TEXT    NOT NULL,
	machine_grade TEXT    NOT NULL, -- that stood then
	reason        TEXT    NOT NULL,
	pending       INTEGER NOT NULL, -- a second person must confirm it
	confirmed_by  TEXT    NOT NULL DEFAULT '',
	confirmed_at  INTEGER
);
CREATE INDEX IF NOT EXISTS decisions_coil ON decisions (coil, n);

-- Who published a version of a recipe; those of files are not listed.
CREATE TABLE IF NOT EXISTS recipe_log (
	name    TEXT    NOT NULL,
	version INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	by_whom TEXT    NOT NULL,
	note    TEXT    NOT NULL,
	PRIMARY KEY (name, version)
) WITHOUT ROWID;
`, `
-- The roll marks found on a coil, all in one value: it is replaced with each batch that adds to them.
CREATE TABLE IF NOT EXISTS coil_rolls (
	coil  INTEGER PRIMARY KEY REFERENCES coils (n),
	marks TEXT NOT NULL -- JSON
);
`, `
-- Reviews that people took back. Rows are only added, as to reviews.
CREATE TABLE IF NOT EXISTS withdrawals (
	review   INTEGER PRIMARY KEY REFERENCES reviews (n),
	coil     INTEGER NOT NULL REFERENCES coils (n),
	defect   INTEGER NOT NULL REFERENCES defects (id),
	revision INTEGER NOT NULL, -- of the defect, which this made
	by_whom  TEXT    NOT NULL,
	at       INTEGER NOT NULL,
	grading  INTEGER NOT NULL -- the coil's newest at that time; 0: none
);
CREATE INDEX IF NOT EXISTS withdrawals_coil ON withdrawals (coil);

-- What nobody took back: the newest of a defect stands.
CREATE VIEW IF NOT EXISTS standing_reviews AS
	SELECT * FROM reviews r WHERE NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.review = r.n);

-- What the pictures of a coil's defects show, many in one row: see picturepart.go.
CREATE TABLE IF NOT EXISTS picture_parts (
	first    INTEGER PRIMARY KEY, -- id of its first defect
	coil     INTEGER NOT NULL REFERENCES coils (n),
	pictures BLOB    NOT NULL
);

-- The coils of which defects wait for a person.
CREATE INDEX IF NOT EXISTS coils_ended ON coils (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS coils_undecided ON coils (ended_at) WHERE grade IN ('hold', 'block');
`, `
-- What trends need of a coil that has ended: see trendsum.go. writeSums fills it for what was there before.
CREATE TABLE IF NOT EXISTS trend_sums (
	coil      INTEGER NOT NULL REFERENCES coils (n),
	side      INTEGER NOT NULL,
	length    REAL    NOT NULL, -- mm, as are the next two
	inspected REAL    NOT NULL,
	screened  REAL    NOT NULL,
	defects   BLOB    NOT NULL,
	PRIMARY KEY (coil, side)
) WITHOUT ROWID;
`, `
-- What makes alarms of defects. Versions are only added.
CREATE TABLE IF NOT EXISTS alarm_rules (
	version INTEGER PRIMARY KEY,
	at      INTEGER NOT NULL,
	by_whom TEXT    NOT NULL,
	note    TEXT    NOT NULL,
	rules   TEXT    NOT NULL -- JSON
);
`, `
-- The severities that people gave with their reviews, where they gave one. Rows are only added, as to reviews.
CREATE TABLE IF NOT EXISTS review_severities (
	review   INTEGER PRIMARY KEY REFERENCES reviews (n),
	severity INTEGER NOT NULL
);
`}
}

// withParts is the version from which on the map parts are written with the defects.
const withParts = 4

func migrate(ctx context.Context, db *sql.DB) error {
	steps := migrations()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after the commit
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("its database has version %d, this program knows up to %d: use the newer program", version, len(steps))
	}
	for i := version; i < len(steps); i++ {
		if _, err := tx.ExecContext(ctx, steps[i]); err != nil {
			return fmt.Errorf("database version %d: %w", i+1, err)
		}
	}
	if version < withParts {
		if err := writeParts(ctx, tx); err != nil {
			return fmt.Errorf("database version %d: %w", withParts, err)
		}
	}
	if err := writeSums(ctx, tx); err != nil {
		return fmt.Errorf("sums for trends: %w", err)
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(steps))); err != nil {
		return err
	}
	return tx.Commit()
}
