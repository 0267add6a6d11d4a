-- The users table of graphql/hasura/migrations for SQLite. A test compares the
-- columns. SQLite has no uuid, timestamptz or jsonb: they are text here, in the
-- one form that PostgreSQL would show, and the checks let no other form in.
CREATE TABLE IF NOT EXISTS users (
  id TEXT NOT NULL
    CHECK (id GLOB '????????-????-????-????-????????????' AND id NOT GLOB '*[^0-9a-f-]*'),
  username TEXT,
  email TEXT,
  email_verified INTEGER CHECK (email_verified IN (0, 1)),
  phone_number TEXT,
  phone_number_verified INTEGER CHECK (phone_number_verified IN (0, 1)),
  name TEXT,
  given_name TEXT,
  family_name TEXT,
  picture TEXT,
  locale TEXT,
  identity_provider TEXT,
  status TEXT,
  attributes TEXT DEFAULT '{}' NOT NULL CHECK (json_valid(attributes)),
  last_sign_in_at TEXT CHECK (last_sign_in_at GLOB '????-??-??T??:??:??.??????+00:00'),
  synced_at TEXT CHECK (synced_at GLOB '????-??-??T??:??:??.??????+00:00'),
  created_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00') NOT NULL
    CHECK (created_at GLOB '????-??-??T??:??:??.??????+00:00'),
  updated_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00') NOT NULL
    CHECK (updated_at GLOB '????-??-??T??:??:??.??????+00:00'),
  CONSTRAINT users_pkey PRIMARY KEY (id)
) STRICT;

CREATE TRIGGER IF NOT EXISTS set_public_users_updated_at
AFTER UPDATE ON users
BEGIN
  UPDATE users SET updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00' WHERE id = NEW.id;
END;
