CREATE TABLE IF NOT EXISTS documents (id uuid PRIMARY KEY, tenant_id text NOT NULL, title text NOT NULL);

INSERT INTO documents (id, tenant_id, title) VALUES
  ('d0000000-0000-4000-8000-000000000001', 'acme', 'A plan'),
  ('d0000000-0000-4000-8000-000000000002', 'acme', 'Another plan'),
  ('d0000000-0000-4000-8000-000000000003', 'globex', 'A report'),
  ('d0000000-0000-4000-8000-000000000004', 'initech', 'A secret of others')
ON CONFLICT DO NOTHING;
