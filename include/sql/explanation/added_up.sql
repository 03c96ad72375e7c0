-- What do the rows of evidence of a figure come to? One row.
select
    count(*) as rows,
    count(*) filter (where part <> 'denominator') as above,
    count(*) filter (where part <> 'numerator') as below,
    case
        when count(numerator) > 0 then trim_scale(sum(numerator))
        else count(distinct counted) filter (where part <> 'denominator')
    end as numerator,
    case
        when count(denominator) > 0 then trim_scale(sum(denominator))
        else count(distinct counted) filter (where part <> 'numerator')
    end as denominator
from evidence
