revoke all on all tables in schema public from flowforge_api, flowforge_scheduler;
revoke all on all functions in schema public from flowforge_api, flowforge_scheduler;
revoke usage on schema public from flowforge_api, flowforge_scheduler;
