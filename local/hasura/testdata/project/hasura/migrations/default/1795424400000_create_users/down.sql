DROP TABLE public.users;

-- The function set_current_timestamp_updated_at stays, because other tables may use it.
