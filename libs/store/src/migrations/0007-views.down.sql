drop view "WorkflowExecutionLog";
drop view "WorkflowExecution";
drop view "Workflow";
drop view workflow_execution_logs;
drop view intent_workflows;
drop view workflow_executions;
