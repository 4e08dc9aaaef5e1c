"""The call log: what became of each call, in Supabase or in a file of SQLite."""
