drop table deployments;
drop table work_pools;
drop table teams;
drop table environments;
