alter table worker_sessions drop column held_begun;
