CREATE TABLE public.people (
  id uuid PRIMARY KEY,
  email text,
  name jsonb,
  synced_at timestamptz
);
