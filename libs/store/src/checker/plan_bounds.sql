-- I10: no version has more steps than a run may have.
-- $1 steps at most
select 'check.bound.steps' as code, workflow_id || '@' || version as subject,
       jsonb_build_object('steps', jsonb_array_length(plan -> 'steps'), 'stepsMax', $1::int) as details
  from workflow_versions where jsonb_array_length(plan -> 'steps') > $1::int
