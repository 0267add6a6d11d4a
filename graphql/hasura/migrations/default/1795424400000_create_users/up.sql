-- No unique constraint on email, and please add none: one address with several
-- subs is normal in Cognito. A person who is deleted and signs up again gets a
-- new sub, and signing in with Google after signing up with a password makes a
-- second account. A unique address would refuse the second row, and with it
-- that person's every sync.
CREATE TABLE public.users (
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
  -- The upsert names this constraint, so its name is part of the contract.
  CONSTRAINT users_pkey PRIMARY KEY (id)
);

-- Hasura shows these comments as descriptions in the GraphQL schema.
COMMENT ON TABLE public.users IS 'people of the Cognito user pool, written by the sync when they confirm or sign in';
COMMENT ON COLUMN public.users.id IS 'the sub of the user in the Cognito user pool';
COMMENT ON COLUMN public.users.username IS 'user name in the user pool; differs from id for federated and admin-created users';
COMMENT ON COLUMN public.users.email IS 'not unique: re-created and federated accounts share an e-mail address';
COMMENT ON COLUMN public.users.phone_number IS 'E.164 form, as Cognito keeps it';
COMMENT ON COLUMN public.users.picture IS 'URL, as the identity provider gave it';
COMMENT ON COLUMN public.users.identity_provider IS 'the provider that a federated user signed in with; null for a user of the pool itself';
COMMENT ON COLUMN public.users.status IS 'cognito:user_status when last synced, such as CONFIRMED or EXTERNAL_PROVIDER';
COMMENT ON COLUMN public.users.attributes IS 'the custom: attributes of the user pool, by name';
COMMENT ON COLUMN public.users.last_sign_in_at IS 'when the latest sign-in was received';
COMMENT ON COLUMN public.users.synced_at IS 'when the event behind the latest sync was received; only a newer event may overwrite the row';

-- Hasura's console makes the same function, by this name, for every table with
-- an updated_at: a project that has it already loses nothing here.
CREATE OR REPLACE FUNCTION public.set_current_timestamp_updated_at() RETURNS trigger
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

CREATE TRIGGER set_public_users_updated_at
  BEFORE UPDATE ON public.users
  FOR EACH ROW EXECUTE PROCEDURE public.set_current_timestamp_updated_at();

COMMENT ON TRIGGER set_public_users_updated_at ON public.users
  IS 'trigger to set value of column "updated_at" to current timestamp on row update';
