-- run_ids_take: ids for runs that are about to be submitted, by the database's clock. Made before the insert is sent, so that a commit
-- whose answer was lost can be looked up.
-- $1 how many
select flowforge_uuidv7() as id from generate_series(1, $1::int)
