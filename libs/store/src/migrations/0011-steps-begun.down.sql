alter table worker_sessions drop column beat_no, drop column held_begun;
