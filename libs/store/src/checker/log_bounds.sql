-- I10: no log line and no step's log beyond its bound. Each may end in a marker that says what was cut.
-- $1 < run id <= $2 · $3 bytes of a line at most · $4 bytes of one dispatch of a step at most · $5 bytes of a marker at most
with line as (
  select run_id, step_no, dispatch_no, line, octet_length(text) as bytes from workflow_run_logs where run_id > $1 and run_id <= $2
)
select 'check.bound.log_line' as code, run_id || '/' || step_no as subject, jsonb_build_object('line', line, 'bytes', bytes, 'bytesMax', $3::int) as details
  from line where bytes > $3::int + $5::int
union all
select 'check.bound.log_step', run_id || '/' || step_no, jsonb_build_object('dispatchNo', dispatch_no, 'bytes', sum(bytes), 'bytesMax', $4::int)
  from line group by run_id, step_no, dispatch_no having sum(bytes) > $4::int + $5::int
