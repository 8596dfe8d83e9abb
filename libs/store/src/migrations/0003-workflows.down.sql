drop table workflow_versions;
drop table workflows;
