-- The tables of the spine. Times are microseconds since 1970 in UTC; values are JSON text.

CREATE TABLE site (
    name        TEXT PRIMARY KEY,
    -- Key from which boot keys are derived, so that no boot key is stored.
    boot_secret TEXT NOT NULL,
    -- Grows with every change of any record.
    serial      BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE design_revision (
    digest     TEXT PRIMARY KEY,
    source     TEXT NOT NULL,
    revision   TEXT NOT NULL,
    first_seen BIGINT NOT NULL
);

CREATE TABLE node (
    name        TEXT PRIMARY KEY,
    serial      BIGINT NOT NULL DEFAULT 0,
    identity    TEXT,
    deployed_at BIGINT,
    -- 0 after a release, until something is done to the node again.
    in_care     BIGINT NOT NULL DEFAULT 1,
    -- When it was last released; kept until it is deployed again.
    released_at BIGINT,
    hold        TEXT
);

CREATE TABLE step_record (
    node    TEXT NOT NULL,
    step    TEXT NOT NULL,
    task    TEXT NOT NULL,
    -- Digest of the scripts that did it at the last success.
    scripts TEXT,
    outcome TEXT NOT NULL,
    inputs  TEXT,
    params  TEXT NOT NULL,
    seeds   TEXT NOT NULL,
    scope   TEXT NOT NULL,
    run     TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (node, step)
);

-- Content that runs pin: script closures, tasks, specs. By digest, so that it is stored once.
CREATE TABLE pinned (
    digest  TEXT PRIMARY KEY,
    content TEXT NOT NULL
);

CREATE TABLE run (
    id            TEXT PRIMARY KEY,
    -- running, succeeded, partial, failed, cancelled
    state         TEXT NOT NULL,
    command       TEXT NOT NULL,
    design_digest TEXT NOT NULL,
    plan          TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    ended_at      BIGINT,
    succeeded     BIGINT NOT NULL DEFAULT 0,
    failed        BIGINT NOT NULL DEFAULT 0,
    skipped       BIGINT NOT NULL DEFAULT 0,
    waiting       BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE run_node (
    run      TEXT NOT NULL,
    node     TEXT NOT NULL,
    position BIGINT NOT NULL,
    -- pending, running, succeeded, failed, skipped, waiting
    state    TEXT NOT NULL,
    why      TEXT,
    spec     TEXT NOT NULL,
    PRIMARY KEY (run, node)
);

CREATE TABLE step_run (
    run      TEXT NOT NULL,
    node     TEXT NOT NULL,
    step     TEXT NOT NULL,
    position BIGINT NOT NULL,
    task     TEXT NOT NULL,
    closure  TEXT NOT NULL,
    planned  TEXT NOT NULL,
    -- pending, running, succeeded, failed, skipped, in-doubt
    state    TEXT NOT NULL,
    why      TEXT,
    since    BIGINT NOT NULL,
    PRIMARY KEY (run, node, step)
);

CREATE TABLE attempt (
    id       BIGINT PRIMARY KEY,
    run      TEXT NOT NULL,
    node     TEXT NOT NULL,
    step     TEXT NOT NULL,
    number   BIGINT NOT NULL,
    -- running, succeeded, failed, in-doubt
    state    TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    deadline BIGINT NOT NULL,
    error    TEXT
);
CREATE INDEX attempt_of_step ON attempt (run, node, step);

-- The journal.
CREATE TABLE effect (
    attempt     BIGINT NOT NULL,
    sequence    BIGINT NOT NULL,
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    args_digest TEXT NOT NULL,
    args        TEXT NOT NULL,
    intent_at   BIGINT NOT NULL,
    -- Of waits: when the wait ends unanswered.
    deadline    BIGINT,
    answer      TEXT,
    failure     TEXT,
    -- 1 when a mutating request was sent for it, 0 when none was needed.
    wrote       BIGINT,
    answered_at BIGINT,
    PRIMARY KEY (attempt, sequence)
);

CREATE TABLE message (
    id    INTEGER PRIMARY KEY,
    run   TEXT NOT NULL,
    node  TEXT,
    step  TEXT,
    at    BIGINT NOT NULL,
    level TEXT NOT NULL,
    text  TEXT NOT NULL,
    -- Of messages that a script writes: the effect, so that none is written twice.
    effect TEXT UNIQUE
);
CREATE INDEX message_of_run ON message (run, id);

CREATE TABLE fact (
    node    TEXT NOT NULL,
    source  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (node, source, at)
);

CREATE TABLE lease (
    site     TEXT PRIMARY KEY,
    token    BIGINT NOT NULL,
    holder   TEXT NOT NULL,
    alive_at BIGINT NOT NULL
);

CREATE TABLE dhcp_lease (
    network    TEXT NOT NULL,
    address    TEXT NOT NULL,
    mac        TEXT NOT NULL,
    node       TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (network, address)
);

CREATE TABLE boot_ticket (
    id           TEXT PRIMARY KEY,
    node         TEXT NOT NULL,
    run          TEXT NOT NULL,
    -- The attempt that opened it: nothing is served for one that is not under way.
    attempt      BIGINT NOT NULL,
    -- open, installed, booted, failed, missed, withdrawn
    state        TEXT NOT NULL,
    spec         TEXT NOT NULL,
    install_key  TEXT NOT NULL UNIQUE,
    home_key     TEXT NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL,
    -- When an installer first fetched its order: from then on the disk is no longer what it was.
    fetched_at   BIGINT,
    report       TEXT
);
CREATE INDEX boot_ticket_of_node ON boot_ticket (node, created_at);
