#!/bin/sh
# Makes the tables of the call log; may be run again.
set -eu
for file in "${MIGRATIONS:-/migrations}"/*.sql; do
  psql --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" \
    --dbname "${POSTGRES_DB:-calls}" --file "$file"
done
