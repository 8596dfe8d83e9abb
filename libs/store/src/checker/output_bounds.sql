-- I10: outputs and errors within their bound. jsonb prints a space after every comma and colon: JSON of n bytes prints as at most 1.5 n.
-- Only values above 4 kB as stored are unpacked: compressed at most 1 : 255 (lz4), a smaller one cannot exceed 1 MiB.
-- $1 < run id <= $2 · $3 bytes of JSON at most
with large as materialized (
  select run_id, step_no, output, error from step_outputs
   where run_id > $1 and run_id <= $2 and (pg_column_size(output) > 4000 or pg_column_size(error) > 4000)
), sized as (
  select run_id, step_no, greatest(octet_length(output::text), octet_length(error::text)) as bytes from large
)
select 'check.bound.output' as code, run_id || '/' || step_no as subject, jsonb_build_object('printedBytes', bytes, 'bytesMax', $3::int) as details
  from sized where bytes > $3::int * 1.5
