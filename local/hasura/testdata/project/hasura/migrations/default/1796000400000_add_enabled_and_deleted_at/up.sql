-- The reconcile and follow functions write these columns. The sync function does not.
ALTER TABLE public.users ADD COLUMN enabled boolean;
ALTER TABLE public.users ADD COLUMN deleted_at timestamp with time zone;

COMMENT ON COLUMN public.users.enabled IS 'false if the user is disabled in the user pool';
COMMENT ON COLUMN public.users.deleted_at IS 'when reconcile or follow found that the user is gone; null for a user in the pool';
