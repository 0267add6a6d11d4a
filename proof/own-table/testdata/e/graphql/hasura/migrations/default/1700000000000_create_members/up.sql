CREATE SCHEMA auth;

-- Do not add a unique constraint on email. Several users can have the same address: a
-- user who is deleted and signs up again gets a new sub, and so does a user who first
-- signs up with a password and then with Google. PostgreSQL would refuse every sync of
-- the second user.
CREATE TABLE auth.members (
  id uuid NOT NULL,
  username text,
  email text,
  email_verified boolean,
  phone_number text,
  phone_number_verified boolean,
  name text,
  given_name text,
  family_name text,
  picture text,
  locale text,
  identity_provider text,
  status text,
  attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
  last_sign_in_at timestamp with time zone,
  synced_at timestamp with time zone,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  -- The upsert names this constraint, so the name must stay.
  CONSTRAINT members_pkey PRIMARY KEY (id)
);

-- Hasura shows these comments as descriptions in the GraphQL schema.
COMMENT ON TABLE auth.members IS 'users of the Cognito user pool; the sync function writes a row when a user confirms or signs in';
COMMENT ON COLUMN auth.members.id IS 'the sub of the user in the Cognito user pool';
COMMENT ON COLUMN auth.members.username IS 'the user name in the user pool; not always the sub';
COMMENT ON COLUMN auth.members.email IS 'not unique: several users can have the same e-mail address';
COMMENT ON COLUMN auth.members.phone_number IS 'in E.164 form, as Cognito stores it';
COMMENT ON COLUMN auth.members.picture IS 'URL from the identity provider';
COMMENT ON COLUMN auth.members.identity_provider IS 'the provider of a federated user; null for a user of the pool itself';
COMMENT ON COLUMN auth.members.status IS 'cognito:user_status at the last sync, such as CONFIRMED or EXTERNAL_PROVIDER';
COMMENT ON COLUMN auth.members.attributes IS 'the custom: attributes of the user pool, by name';
COMMENT ON COLUMN auth.members.last_sign_in_at IS 'when the latest sign-in was received';
COMMENT ON COLUMN auth.members.synced_at IS 'when the event of the latest sync was received; an older event does not overwrite the row';

-- Hasura's console creates the same function under this name for every table with
-- updated_at. So replacing it changes nothing in a project that has it already.
CREATE OR REPLACE FUNCTION auth.set_current_timestamp_updated_at() RETURNS trigger
  LANGUAGE plpgsql
AS $$
DECLARE
  _new record;
BEGIN
  _new := NEW;
  _new."updated_at" = NOW();
  RETURN _new;
END;
$$;

CREATE TRIGGER set_auth_members_updated_at
  BEFORE UPDATE ON auth.members
  FOR EACH ROW EXECUTE PROCEDURE auth.set_current_timestamp_updated_at();

COMMENT ON TRIGGER set_auth_members_updated_at ON auth.members
  IS 'trigger to set value of column "updated_at" to current timestamp on row update';

-- The reconcile and follow functions write these columns. The sync function does not.
ALTER TABLE auth.members ADD COLUMN enabled boolean;
ALTER TABLE auth.members ADD COLUMN deleted_at timestamp with time zone;

COMMENT ON COLUMN auth.members.enabled IS 'false if the user is disabled in the user pool';
COMMENT ON COLUMN auth.members.deleted_at IS 'when reconcile or follow found that the user is gone; null for a user in the pool';
