/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The history's tables. Step i brings a file from version i to i + 1; a step
 * that was released is never changed, a change is a new step.
 *
 *   name     every word of a closed kind, once
 *   run      one agent step (or one job that left none): who, where, when
 *   part     one workload of a run; a run without one has a part at -1
 *   on_node  which runs a node took part in
 *   metric   a metric of a workload: "cosmoflow, samples_per_second"
 *   value    narrow: one number of one part; node 0 is the whole run
 *   outbox   what accounting must still be told
 *   lease    who is at work on the nodes (history_work.h)
 *   deed     what was written in Slurm, or may have been
 *
 * run.sha256 is of the text in the archive, run.seen the salted hash of the
 * record that root saw, where the archive has it redacted (without a salt the
 * word "redacted").
 *
 * begin stands in part, on_node and value again, so that "the newest of X"
 * is one walk over one index.
 */
#ifndef HISTORY_HISTORY_SCHEMA_H
#define HISTORY_HISTORY_SCHEMA_H

static const char *const history_steps[] = {
    "CREATE TABLE name (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, text TEXT NOT NULL,"
    "  UNIQUE (kind, text));"
    "CREATE TABLE run (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, grade INTEGER NOT NULL,"
    "  sha256 TEXT NOT NULL, cluster INTEGER NOT NULL, job INTEGER NOT NULL,"
    "  array_job INTEGER NOT NULL, array_task INTEGER NOT NULL,"
    "  het_job INTEGER NOT NULL, het_offset INTEGER NOT NULL,"
    "  restart INTEGER NOT NULL, step TEXT NOT NULL, uid INTEGER NOT NULL, user INTEGER NOT NULL,"
    "  account TEXT NOT NULL, partition TEXT NOT NULL, nodes TEXT NOT NULL,"
    "  n_nodes INTEGER NOT NULL, begin INTEGER NOT NULL, end INTEGER NOT NULL,"
    "  status INTEGER NOT NULL, valid INTEGER NOT NULL, witnessed INTEGER NOT NULL,"
    "  asked TEXT NOT NULL, archive TEXT NOT NULL);"
    "CREATE INDEX run_job ON run (job);"
    "CREATE INDEX run_array ON run (array_job) WHERE array_job > 0;"
    "CREATE INDEX run_het ON run (het_job) WHERE het_job > 0;"
    "CREATE INDEX run_user ON run (user, begin);"
    "CREATE TABLE part (id INTEGER PRIMARY KEY,"
    "  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,"
    "  begin INTEGER NOT NULL, position INTEGER NOT NULL, workload INTEGER NOT NULL,"
    "  class TEXT NOT NULL, engine TEXT NOT NULL, dtype TEXT NOT NULL, origin TEXT NOT NULL,"
    "  ranks INTEGER NOT NULL, threads INTEGER NOT NULL, batch INTEGER NOT NULL,"
    "  status INTEGER NOT NULL, valid INTEGER NOT NULL,"
    "  samples_per_second REAL, quality REAL, quality_metric TEXT NOT NULL,"
    "  time_to_quality_seconds REAL, flop_per_second REAL);"
    "CREATE INDEX part_run ON part (run);"
    "CREATE INDEX part_begin ON part (begin);"
    "CREATE INDEX part_workload ON part (workload, begin);"
    "CREATE TABLE on_node (node INTEGER NOT NULL, begin INTEGER NOT NULL,"
    "  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,"
    "  PRIMARY KEY (node, begin, run)) WITHOUT ROWID;"
    "CREATE INDEX on_node_run ON on_node (run, node);"
    "CREATE TABLE metric (id INTEGER PRIMARY KEY, workload INTEGER NOT NULL, name INTEGER NOT NULL,"
    "  UNIQUE (name, workload));"
    "CREATE TABLE value (part INTEGER NOT NULL REFERENCES part (id) ON DELETE CASCADE,"
    "  metric INTEGER NOT NULL, node INTEGER NOT NULL, begin INTEGER NOT NULL,"
    "  value REAL NOT NULL, PRIMARY KEY (part, metric, node)) WITHOUT ROWID;"
    "CREATE INDEX value_metric ON value (metric, begin);",

    "CREATE TABLE outbox (id INTEGER PRIMARY KEY, cluster TEXT NOT NULL, job INTEGER NOT NULL,"
    "  array_task INTEGER NOT NULL, het_offset INTEGER NOT NULL, begin INTEGER NOT NULL,"
    "  since INTEGER NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL,"
    "  text TEXT NOT NULL, why TEXT NOT NULL, UNIQUE (cluster, job));"
    "CREATE INDEX outbox_due ON outbox (due);",

    /* Each start of a requeued job has its own text. */
    "CREATE TABLE outbox_3 (id INTEGER PRIMARY KEY, cluster TEXT NOT NULL, job INTEGER NOT NULL,"
    "  restart INTEGER NOT NULL, array_task INTEGER NOT NULL, het_offset INTEGER NOT NULL,"
    "  begin INTEGER NOT NULL, since INTEGER NOT NULL, due INTEGER NOT NULL,"
    "  tries INTEGER NOT NULL, text TEXT NOT NULL, why TEXT NOT NULL,"
    "  UNIQUE (cluster, job, restart));"
    "INSERT INTO outbox_3 SELECT id, cluster, job, 0, array_task, het_offset, begin, since, due,"
    "  tries, text, why FROM outbox;"
    "DROP TABLE outbox;"
    "ALTER TABLE outbox_3 RENAME TO outbox;"
    "CREATE INDEX outbox_due ON outbox (due);"
    "ALTER TABLE run ADD COLUMN seen TEXT NOT NULL DEFAULT '';",

    /* What limited the steps, as the record says it. */
    "ALTER TABLE part ADD COLUMN cause TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE part ADD COLUMN cause_node TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE part ADD COLUMN suspect TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE part ADD COLUMN verdict TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE part ADD COLUMN why TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE part ADD COLUMN next TEXT NOT NULL DEFAULT '';",

    "CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, since INTEGER NOT NULL,"
    "  beat INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE deed (id INTEGER PRIMARY KEY, node TEXT NOT NULL, verb TEXT NOT NULL,"
    "  words TEXT NOT NULL, run TEXT NOT NULL, looked INTEGER NOT NULL, wrote INTEGER NOT NULL,"
    "  outcome INTEGER NOT NULL, said TEXT NOT NULL);"
    "CREATE INDEX deed_node ON deed (node, id);"
    "CREATE INDEX deed_open ON deed (outcome) WHERE outcome <= 1;",
};

#endif
