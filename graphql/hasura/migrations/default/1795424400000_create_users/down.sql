DROP TABLE public.users;

-- set_current_timestamp_updated_at stays: other tables may use it.
