-- The roles that the migrations of the call log know, as Supabase has them: the holder of the
-- service key may do everything, others nothing. May be run again.
-- PostgREST logs in as `authenticator`, which can do nothing but become one of them; its
-- password is in the variable AUTHENTICATOR_PASSWORD.
\getenv password AUTHENTICATOR_PASSWORD
select format('create role %I %s', name, options)
  from (values
    ('anon', 'nologin noinherit'),
    ('authenticated', 'nologin noinherit'),
    ('service_role', 'nologin noinherit bypassrls'),
    ('authenticator', 'login noinherit')
  ) as wanted (name, options)
  where not exists (select from pg_roles where rolname = name)
\gexec
alter role authenticator password :'password';
grant anon, authenticated, service_role to authenticator;
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to service_role;
alter default privileges in schema public grant all on sequences to service_role;
