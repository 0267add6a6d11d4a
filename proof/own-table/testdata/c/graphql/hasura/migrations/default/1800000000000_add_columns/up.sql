ALTER TABLE public.users
  ADD COLUMN nickname text,
  ADD COLUMN zoneinfo text,
  ADD COLUMN org_id uuid,
  ADD COLUMN birthdate date,
  ADD COLUMN login_count integer;
