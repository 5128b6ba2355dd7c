-- How each link to another system is, as the pump of each node sees it. Written when something changes.
CREATE TABLE link (
  plugin TEXT NOT NULL,
  node TEXT NOT NULL,
  port TEXT NOT NULL,
  state TEXT NOT NULL,
  since BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  last_ok BIGINT NOT NULL,
  error TEXT,
  next_probe BIGINT NOT NULL,
  PRIMARY KEY (plugin, node)
);

-- Links that an administrator holds back, on all nodes.
CREATE TABLE link_pause (
  plugin TEXT PRIMARY KEY,
  since BIGINT NOT NULL,
  actor_id BIGINT NOT NULL,
  actor TEXT,
  reason TEXT
);

-- A message that goes round once more counts its tries anew, as a delivery does.
ALTER TABLE inbox ADD COLUMN tried_before BIGINT NOT NULL DEFAULT 0;
CREATE INDEX inbox_dead ON inbox (ended) WHERE state = 'dead';
