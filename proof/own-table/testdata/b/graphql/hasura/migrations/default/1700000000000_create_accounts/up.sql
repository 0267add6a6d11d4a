CREATE SCHEMA app;
CREATE TABLE app.accounts (
  uid text PRIMARY KEY,
  email text,
  phone text,
  profile jsonb NOT NULL DEFAULT '{}',
  tenant_id uuid,
  deleted_at timestamptz,
  synced_at timestamptz
);
