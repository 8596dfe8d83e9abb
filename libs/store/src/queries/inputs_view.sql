-- inputs_view: what these runs were started with; one that was started with {} has no row. $1 run ids
select i.run_id, i.input from unnest($1::uuid[]) as wanted (id) join run_inputs i on i.run_id = any (array[wanted.id])
