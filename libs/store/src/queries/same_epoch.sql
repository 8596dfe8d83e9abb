-- same_epoch: refuses (FF007) when this is not the database on which a decision was made: a restored one has runs of other fates under the same
-- revs and tokens. $1 the epoch of the decision
select flowforge_same_epoch($1::int)
