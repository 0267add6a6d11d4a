ALTER TABLE public.users DROP COLUMN deleted_at;
ALTER TABLE public.users DROP COLUMN enabled;
