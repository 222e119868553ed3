-- The two roles of an installation and its database, created once by a superuser with psql (docs/deploy.md). Passwords come from the
-- environment, so that they are in no command line and no file. `latchkey_owner` owns the tables and runs `latchkey migrate`;
-- `latchkey_serving` serves requests, and can change neither the tables nor recorded audit events.
\set ON_ERROR_STOP on
\getenv owner_password DATABASE_OWNER_PASSWORD
\getenv serving_password DATABASE_SERVING_PASSWORD

create role latchkey_owner login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'owner_password';
create role latchkey_serving login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'serving_password';

create database latchkey owner latchkey_owner;
revoke all on database latchkey from public;
grant connect on database latchkey to latchkey_serving;
